import { fakePlace } from './fake-place.ts';
import { verbsSuite } from './suite-verbs.ts';

verbsSuite('the fake API server', fakePlace);
