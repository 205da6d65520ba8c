import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type McpConnection } from '../../support/mcp.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import type { Place } from '../cluster/place.ts';
import { type Harness, startHarness, token } from '../support/harness.ts';
import { type Person, people } from '../support/people.ts';

/** A sample of the permissions through the protocol, against an API server: the fake one, or a real one. */
export function permissionsSuite(what: string, openPlace: () => Promise<Place>): void {
  describe(`permissions on ${what}`, () => {
    const enclave = `perm-${process.pid}-${Date.now().toString(36)}`;
    const connections = new Map<string, McpConnection>();
    let place: Place;
    let harness: Harness;

    beforeAll(async () => {
      place = await openPlace();
      const tokenOf = (who: string) => `token-of-${who}`.padEnd(40, '.');
      const principals = Object.fromEntries(Object.entries(people).map(([who, one]) => [tokenOf(who), one]));
      harness = await startHarness({ connection: place.connection, principals });
      for (const who of Object.keys(people)) {
        connections.set(who, await connect('2026-07-28', harness.endpoint, tokenOf(who)));
      }
      connections.set('bearer', await connect('2026-07-28', harness.endpoint, token));
      await as('olga').ok('enclave_provision', { name: enclave, members: ['mia@example.com', 'max@example.com'] });
    });
    afterAll(async () => {
      await as('bearer').call('enclave_deprovision', { name: enclave, confirm: true, timeout_seconds: 60 });
      for (const connection of connections.values()) await connection.close();
      await harness.close();
      await place.close();
    });

    function as(who: Person | 'bearer'): McpConnection {
      const connection = connections.get(who);
      if (!connection) throw new Error(`nobody is called ${who}`);
      return connection;
    }

    it('owner, group and others have what the mode gives them', async () => {
      const source = { enclave, ...helloWorkflow('shared') };
      await as('mia').ok('wf_apply', { ...source, mode: 'group-read' });
      const call = { enclave, name: 'shared' };
      expect(await as('max').ok('wf_status', call)).toMatchObject({ name: 'shared' });
      const change = { enclave, ...helloWorkflow('shared', { description: 'x' }) };
      expect(await as('max').refused('wf_apply', change)).toMatchObject({ code: 'permission_denied' });
      for (const tool of ['wf_status', 'wf_remove', 'wf_restart', 'permissions_get']) {
        expect(await as('eve').refused(tool, call)).toMatchObject({ code: 'not_found' });
      }
      expect(await as('mia').ok('wf_restart', call)).toBeDefined();
    });

    it('an apply after a change of mode and owner is no conflict and keeps both', async () => {
      const call = { enclave, name: 'shared' };
      await as('mia').ok('permissions_set', { ...call, mode: 'member-edit' });
      await as('olga').ok('permissions_set', { ...call, owner: people.max.sub });
      const change = { enclave, ...helloWorkflow('shared', { description: 'after' }) };
      expect(await as('mia').ok('wf_apply', change)).toMatchObject({ status: 'updated' });
      expect(await as('max').ok('permissions_get', call)).toMatchObject({
        owner: { sub: people.max.sub },
        mode: 'rwxrwx---',
        caller: { role: 'owner' },
      });
      expect(await as('max').ok('wf_status', call)).toMatchObject({ drift: false });
      expect(await as('max').ok('permissions_set', { ...call, mode: 'private' })).toMatchObject({
        after: { preset: 'private' },
      });
      expect(await as('mia').refused('wf_status', call)).toMatchObject({ code: 'not_found' });
    });

    it('concurrent syncs lose no member', async () => {
      const added = Array.from({ length: 8 }, (_, index) => `new-${index}@example.com`);
      await Promise.all(added.map((member) => as('olga').ok('enclave_sync', { name: enclave, add_members: [member] })));
      const { members } = await as('olga').ok('enclave_info', { name: enclave });
      expect(members).toEqual(['max@example.com', 'mia@example.com', ...added]);
    });

    it('freezing, quota and the transfer of tentacles reach the cluster', async () => {
      await as('mia').ok('wf_apply', { enclave, ...helloWorkflow('of-mia') });
      const change = { new_status: 'frozen', new_quota_preset: 'small', remove_members: ['mia@example.com'] };
      expect(await as('olga').ok('enclave_sync', { name: enclave, ...change })).toMatchObject({
        updated: ['members', 'status', 'quota'],
        transfers: [{ name: 'of-mia', from: 'mia@example.com' }],
        enclave: { status: 'frozen', quota_preset: 'small' },
      });
      const frozen = await as('olga').refused('wf_apply', {
        enclave,
        ...helloWorkflow('of-mia', { description: 'x' }),
      });
      expect(frozen.code).toBe('frozen');
      const quota = { apiVersion: 'v1', kind: 'ResourceQuota', namespace: enclave, name: 'enclave' };
      expect((await harness.cluster.reader.get(quota))?.spec).toMatchObject({ hard: { 'requests.cpu': '1' } });
      expect(await as('olga').ok('enclave_sync', { name: enclave, new_status: 'active' })).toMatchObject({
        updated: ['status'],
        enclave: { quota_preset: 'small' },
      });
    });

    it('what a member owns by his subject alone goes with him, once anything tells his address', async () => {
      const shared = { enclave, name: 'shared' };
      expect((await as('olga').ok('permissions_get', shared)).owner).toEqual({ sub: people.max.sub });
      await as('max').ok('wf_apply', { enclave, ...helloWorkflow('of-max') });
      const { transfers } = await as('olga').ok('enclave_sync', { name: enclave, remove_members: ['max@example.com'] });
      // What names him itself goes last.
      expect(transfers).toEqual(['shared', 'of-max'].map((name) => ({ name, from: 'max@example.com' })));
      expect((await as('olga').ok('permissions_get', shared)).owner).toMatchObject({ sub: people.olga.sub });
    });

    it('an enclave is handed over, and the new owner claims it', async () => {
      await as('olga').ok('enclave_sync', { name: enclave, new_owner: 'eve@example.com' });
      expect(await as('olga').refused('enclave_info', { name: enclave })).toMatchObject({ code: 'not_found' });
      expect(await as('eve').ok('enclave_info', { name: enclave })).toMatchObject({
        caller_role: 'owner',
        owner: { sub: people.eve.sub, email: 'eve@example.com' },
      });
    });
  });
}
