import { inject } from 'vitest';
import { realPlace } from '../cluster/real-place.ts';
import { provenanceSuite } from './suite-provenance.ts';

provenanceSuite('the real API server', () => realPlace(inject('kubeconfig')));
