import { fakePlace } from './fake-place.ts';
import { applySuite } from './suite-apply.ts';

applySuite('the fake API server', fakePlace);
