import { fakePlace } from './fake-place.ts';
import { watchSuite } from './suite-watch.ts';

watchSuite('the fake API server', fakePlace);
