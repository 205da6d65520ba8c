import { inject } from 'vitest';
import { realPlace } from './real-place.ts';
import { crashSuite } from './suite-crash.ts';

crashSuite('the real API server', () => realPlace(inject('kubeconfig')));
