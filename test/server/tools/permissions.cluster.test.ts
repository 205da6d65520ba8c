import { inject } from 'vitest';
import { realPlace } from '../cluster/real-place.ts';
import { permissionsSuite } from './suite-permissions.ts';

permissionsSuite('the real API server', () => realPlace(inject('kubeconfig')));
