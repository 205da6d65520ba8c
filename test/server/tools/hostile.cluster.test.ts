import { inject } from 'vitest';
import { realPlace } from '../cluster/real-place.ts';
import { hostileSuite } from './suite-hostile.ts';

hostileSuite('the real API server', () => realPlace(inject('kubeconfig')));
