import { inject } from 'vitest';
import { realPlace } from './real-place.ts';
import { applySuite } from './suite-apply.ts';

applySuite('the real API server', () => realPlace(inject('kubeconfig')));
