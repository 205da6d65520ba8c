import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { launch, peakMemory, stop } from '../../support/keycloak/process.ts';
import { admin, keycloak, logIn, newPerson, startPlace } from './place.ts';

describe('a real Keycloak that changes and goes away', () => {
  it('rotates its keys while calls go on: no call is refused, with old tokens or new ones', async () => {
    const place = await startPlace();
    const person = await newPerson('rotation');
    const before = await logIn(person.visit);
    const statuses: number[] = [];
    let going = true;
    const calls = (async () => {
      while (going) statuses.push(await place.status(before.access_token));
    })();
    await admin.rotateKeys();
    const after = await logIn((await newPerson('rotated')).visit);
    const keyOf = (token: string) => (JSON.parse(atob(token.split('.')[0] ?? '')) as { kid: string }).kid;
    expect(keyOf(after.access_token)).not.toBe(keyOf(before.access_token));
    expect(await place.status(after.access_token)).toBe(200);
    await eventually('calls go on', async () => statuses.length > 10, { intervalMs: 50 });
    going = false;
    await calls;
    expect(new Set(statuses)).toEqual(new Set([200]));
    await place.close();
  });

  it('stops and starts again: tokens stay good meanwhile, a server that starts then waits for it, and nobody restarts', async () => {
    const place = await startPlace({ refreshMs: 200 });
    const { access_token } = await logIn((await newPerson('outage')).visit);
    expect(await place.status(access_token)).toBe(200);
    const started = await startPlace();
    const { access_token: other } = await logIn((await newPerson('late')).visit);
    const peak = await peakMemory(keycloak.home);
    await stop(keycloak.home);
    expect(await place.status(access_token)).toBe(200);
    // It has fetched no key yet.
    expect(await started.status(other)).toBe(503);
    const startedAt = performance.now();
    await launch(keycloak.home);
    process.stdout.write(
      `Keycloak: ${Math.round(peak / 2 ** 20)} MiB at most, back in ${Math.round(performance.now() - startedAt)} ms\n`,
    );
    await eventually('the late server finds it', async () => (await started.status(other)) === 200);
    expect(await place.status(access_token)).toBe(200);
    const again = await logIn((await newPerson('afterwards')).visit);
    expect(await started.status(again.access_token)).toBe(200);
    await Promise.all([place.close(), started.close()]);
  }, 480_000);
});
