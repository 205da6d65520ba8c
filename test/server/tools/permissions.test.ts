import { fakePlace } from '../cluster/fake-place.ts';
import { permissionsSuite } from './suite-permissions.ts';

permissionsSuite('the fake API server', fakePlace);
