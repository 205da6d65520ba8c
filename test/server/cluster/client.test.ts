import { fakePlace } from './fake-place.ts';
import { clientSuite } from './suite-client.ts';

clientSuite('the fake API server', fakePlace);
