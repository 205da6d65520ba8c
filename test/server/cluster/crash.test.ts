import { fakePlace } from './fake-place.ts';
import { crashSuite } from './suite-crash.ts';

crashSuite('the fake API server', fakePlace);
