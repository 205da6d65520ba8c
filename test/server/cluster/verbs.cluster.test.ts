import { inject } from 'vitest';
import { realPlace } from './real-place.ts';
import { verbsSuite } from './suite-verbs.ts';

verbsSuite('the real API server', () => realPlace(inject('kubeconfig')));
