import { fakePlace } from '../cluster/fake-place.ts';
import { provenanceSuite } from './suite-provenance.ts';

provenanceSuite('the fake API server', fakePlace);
