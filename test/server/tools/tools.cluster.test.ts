import { inject } from 'vitest';
import { realPlace } from '../cluster/real-place.ts';
import { toolsSuite } from './suite-tools.ts';

toolsSuite('the real API server', () => realPlace(inject('kubeconfig')));
