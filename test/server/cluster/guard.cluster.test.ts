import { inject } from 'vitest';
import { realPlace } from './real-place.ts';
import { guardSuite } from './suite-guard.ts';

guardSuite('the real API server', () => realPlace(inject('kubeconfig')));
