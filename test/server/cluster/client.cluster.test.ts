import { inject } from 'vitest';
import { realPlace } from './real-place.ts';
import { clientSuite } from './suite-client.ts';

clientSuite('the real API server', () => realPlace(inject('kubeconfig')));
