import { fakePlace } from './fake-place.ts';
import { raceSuite } from './suite-race.ts';

raceSuite('the fake API server', fakePlace);
