import { inject } from 'vitest';
import { realPlace } from './real-place.ts';
import { raceSuite } from './suite-race.ts';

raceSuite('the real API server', () => realPlace(inject('kubeconfig')));
