import { inject } from 'vitest';
import { realPlace } from './real-place.ts';
import { watchSuite } from './suite-watch.ts';

watchSuite('the real API server', () => realPlace(inject('kubeconfig')));
