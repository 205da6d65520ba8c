import { startFakeApiServer } from '../../support/fake-api-server.ts';
import type { Place } from './place.ts';

/** A fresh fake API server. */
export async function fakePlace(): Promise<Place> {
  const fake = await startFakeApiServer();
  return { connection: { kind: 'direct', server: fake.url }, close: () => fake.close() };
}
