import { fakePlace } from './fake-place.ts';
import { guardSuite } from './suite-guard.ts';

guardSuite('the fake API server', fakePlace);
