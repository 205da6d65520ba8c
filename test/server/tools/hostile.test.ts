import { fakePlace } from '../cluster/fake-place.ts';
import { hostileSuite } from './suite-hostile.ts';

hostileSuite('the fake API server', fakePlace);
