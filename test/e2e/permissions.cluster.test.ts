import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { JsonObject } from '../../constructs/model/json.ts';
import { readApiAudit } from '../support/api-audit.ts';
import { eventually } from '../support/eventually.ts';
import { launch, stop } from '../support/keycloak/process.ts';
import { connect, eras } from '../support/mcp.ts';
import { ping } from '../support/ping.ts';
import { helloWorkflow } from '../support/workflows.ts';
import {
  annotations,
  auditRecords,
  type Caller,
  callers,
  enclaveName,
  haveKeys,
  openStage,
  type PermissionsStage,
} from './permissions-stage.ts';
import { asks, faultOf, places, restart, wanted } from './permissions-table.ts';

const outside = inject('outside');
const everybody = [...callers, 'bearer'] as const;

describe.skipIf(outside === undefined)('permissions in the cluster, with tokens of a real Keycloak', () => {
  const enclave = enclaveName();
  const shared = { enclave, name: 'shared' };
  let stage: PermissionsStage;

  beforeAll(async () => {
    stage = await openStage(outside?.nodeIp ?? '');
    const { who, as } = stage;
    const members = [who.bob.member, who.carl.member, who.ci.member];
    await as('ada').ok('enclave_provision', { name: enclave, members });
    await as('bob').ok('wf_apply', { enclave, ...helloWorkflow('shared'), wait: true });
    await as('bearer').ok('wf_apply', { enclave, ...helloWorkflow('orphan'), wait: true });
  });
  afterAll(() => stage?.close());

  it('everybody is to the enclave what issuer and membership make of him', async () => {
    await stage.as('ada').ok('permissions_set', { enclave, mode: 'rwxrwxr--' });
    const roles: Record<string, unknown> = {};
    for (const caller of everybody) {
      roles[caller] = (await stage.as(caller).ok('enclave_info', { name: enclave })).caller_role;
    }
    expect(roles).toEqual({
      ada: 'owner',
      bob: 'group',
      carl: 'others',
      eve: 'others',
      ci: 'group',
      bearer: 'bearer',
    });
  });

  it('every tool answers as the oracle has it, for everybody, over sixteen pairs of modes and both protocol eras', {
    timeout: 480_000,
  }, async () => {
    let calls = 0;
    const faults: string[] = [];
    for (const [index, place] of places(enclave).entries()) {
      const { tentacle: name, enclaveMode, tentacleMode } = place;
      await stage.as('ada').ok('permissions_set', { enclave, mode: enclaveMode });
      await stage.as('ada').ok('permissions_set', { enclave, name, mode: tentacleMode });
      await Promise.all(
        everybody.map(async (caller, turn) => {
          const connection = stage.as(caller, eras[(index + turn) % 2]);
          const refusedRestart = wanted('wf_restart', caller, place) === 'allowed' ? [] : [restart];
          for (const ask of [...asks(helloWorkflow), ...refusedRestart]) {
            const found = await faultOf(ask, caller, place, connection.call);
            calls += found.calls;
            if (found.fault) faults.push(found.fault);
          }
          const mayRead = { enclave: 'enclave_info', tentacle: 'wf_status' } as const;
          const listed = (await connection.ok('enclave_list', { limit: 500 })).enclaves as JsonObject[];
          calls += 1;
          if (listed.some(({ name }) => name === enclave) !== (wanted(mayRead.enclave, caller, place) === 'allowed')) {
            faults.push(`${caller} enclave_list on ${place.enclaveMode}`);
          }
          // Without an enclave the list is read from the cache, which follows the cluster.
          await eventually(`wf_list of ${caller} on ${place.enclaveMode} ${place.tentacleMode}`, async () => {
            calls += 1;
            const rows = (await connection.ok('wf_list', {})).workflows as JsonObject[];
            const isListed = rows.some((row) => row.enclave === enclave && row.name === place.tentacle);
            return isListed === (wanted(mayRead.tentacle, caller, place) === 'allowed');
          });
        }),
      );
    }
    process.stdout.write(`permissions in the cluster: ${calls} calls compared\n`);
    expect(faults.slice(0, 20)).toEqual([]);
    expect(calls).toBeGreaterThan(1000);
  });

  it('making enclaves is for verified identities, each for himself and within the default quota', async () => {
    const { as, who } = stage;
    const code = async (caller: Caller, input: JsonObject) =>
      (await as(caller).refused('enclave_provision', input)).code;
    const name = enclaveName();
    expect(await code('carl', { name })).toBe('permission_denied');
    expect(await code('bob', { name, quota_preset: 'large' })).toBe('permission_denied');
    expect(await code('bob', { name, owner_email: who.ada.member })).toBe('permission_denied');
    expect(await code('eve', { name: enclave })).toBe('conflict');
    expect(await stage.kube.get('namespace', name)).toBeUndefined();
    // A service account needs to be among the provisioners by name.
    expect(await code('ci', { name })).toBe('permission_denied');
    const made = await as('eve').ok('enclave_provision', { name });
    expect(made.owner).toMatchObject({ sub: who.eve.sub, email: who.eve.member });
    expect(await as('bob').refused('enclave_deprovision', { name, confirm: true })).toMatchObject({
      code: 'not_found',
    });
    expect(await as('eve').ok('enclave_deprovision', { name, confirm: true, timeout_seconds: 180 })).toMatchObject({
      namespace_deleted: true,
    });
    expect(await stage.kube.get('namespace', name)).toBeUndefined();
  });

  it('what a bearer token made has no owner, until the owner of the enclave gives it one', async () => {
    const { as, who } = stage;
    await as('ada').ok('permissions_set', { enclave, mode: 'member-edit' });
    const orphan = { enclave, name: 'orphan' };
    const change = { enclave, ...helloWorkflow('orphan', { description: 'adopted' }) };
    for (const [tool, args] of [
      ['wf_status', orphan],
      ['wf_run', orphan],
      ['wf_apply', change],
    ] as const) {
      expect(await as('bob').refused(tool, args)).toMatchObject({ code: 'no_owner' });
    }
    await as('ada').ok('permissions_set', { ...orphan, owner: who.bob.sub });
    expect(await as('bob').ok('wf_apply', change)).toMatchObject({ status: 'updated' });
    expect(await as('bob').ok('wf_status', orphan)).toMatchObject({ name: 'orphan' });
  });

  it('a member with x alone runs and restarts a tentacle that he may not read', async () => {
    const { as } = stage;
    await as('bob').ok('permissions_set', { ...shared, mode: 'member-run' });
    expect(await as('ci').refused('wf_status', shared)).toMatchObject({ code: 'not_found' });
    expect(await as('ci').ok('wf_run', { ...shared, input: { name: 'ci' } })).toMatchObject({
      status: 'succeeded',
      output: { shout: { text: 'HELLO CI' } },
    });
    await as('ci').ok('wf_restart', shared);
    expect(await as('ci').ok('wf_run', shared)).toMatchObject({ status: 'succeeded' });
    expect(await as('carl').refused('wf_run', shared)).toMatchObject({ code: 'not_found' });
  });

  it('a frozen enclave refuses to apply for everybody, also with the bearer token, and goes on running', async () => {
    const { as } = stage;
    await as('ada').ok('enclave_sync', { name: enclave, new_status: 'frozen' });
    for (const caller of ['ada', 'bob', 'bearer'] as const) {
      for (const name of ['shared', 'fresh']) {
        const apply = { enclave, ...helloWorkflow(name, { description: 'frozen' }) };
        expect(await as(caller).refused('wf_apply', apply)).toMatchObject({ code: 'frozen' });
      }
    }
    // Who may not apply anyway does not learn that the enclave is frozen.
    const apply = { enclave, ...helloWorkflow('shared', { description: 'frozen' }) };
    expect(await as('eve').refused('wf_apply', apply)).toMatchObject({ code: 'not_found' });
    expect(await as('ci').ok('wf_run', shared)).toMatchObject({ status: 'succeeded' });
    await as('ada').ok('enclave_sync', { name: enclave, new_status: 'active' });
    expect(await as('bob').ok('wf_apply', apply)).toMatchObject({ status: 'updated' });
  });

  it('the objects tell who made them and who wrote last, and an update by another leaves the first alone', async () => {
    const { as, who } = stage;
    const source = { enclave, ...helloWorkflow('kept') };
    await as('ada').ok('wf_apply', { ...source, mode: 'member-edit' });
    const before = await annotations(stage, 'deployment', 'kept', enclave);
    expect(before).toMatchObject({
      'owner-sub': who.ada.sub,
      'owner-email': who.ada.member,
      'auth-provider': 'keycloak',
      'deployed-by': who.ada.member,
      'deployed-via': 'tentacular-e2e-2026-07-28/1.0.0',
      'updated-by-sub': who.ada.sub,
      'updated-by-email': who.ada.member,
      mode: 'rwxrwx---',
    });
    expect(before['owner-name']).toMatch(/^ada-.* Tester$/);
    await as('bob').ok('wf_apply', { ...source, ...helloWorkflow('kept', { description: 'by bob' }) });
    const after = await annotations(stage, 'deployment', 'kept', enclave);
    for (const key of ['owner-sub', 'owner-email', 'owner-name', 'auth-provider', 'created-at', 'mode']) {
      expect([key, after[key]]).toEqual([key, before[key]]);
    }
    expect(after).toMatchObject({
      'deployed-by': who.bob.member,
      'deployed-via': 'tentacular-e2e-2026-07-28/1.0.0',
      'updated-by-sub': who.bob.sub,
      'updated-by-email': who.bob.member,
    });
    await as('ci').ok('wf_apply', { enclave, ...helloWorkflow('of-ci') });
    const ofService = await annotations(stage, 'deployment', 'of-ci', enclave);
    expect(ofService).toMatchObject({
      'owner-sub': who.ci.sub,
      'owner-name': who.ci.member,
      'deployed-by': who.ci.member,
    });
    expect(Object.keys(ofService).filter((key) => key.endsWith('-email'))).toEqual([]);
    const namespace = await annotations(stage, 'namespace', enclave);
    expect(namespace).toMatchObject({
      'owner-sub': who.ada.sub,
      'owner-email': who.ada.member,
      'updated-by-sub': who.ada.sub,
      'updated-by-email': who.ada.member,
    });
  });

  it('an address that is not verified is written down nowhere', async () => {
    const { as, who } = stage;
    await as('ada').ok('permissions_set', { enclave, mode: 'rwxrwxrwx' });
    await as('carl').ok('wf_apply', { enclave, ...helloWorkflow('of-carl') });
    await as('ada').ok('permissions_set', { enclave, mode: 'member-edit' });
    const made = await annotations(stage, 'deployment', 'of-carl', enclave);
    expect(made).toMatchObject({ 'owner-sub': who.carl.sub, 'deployed-by': who.carl.sub });
    expect(JSON.stringify(made)).not.toContain(who.carl.member);
  });

  it('each call leaves one line in the audit stream, which the audit log of the API server can be joined with', async () => {
    const { plane, who, as } = stage;
    const probe = 'nothing-of-this-name';
    for (const caller of everybody) await as(caller).refused('wf_status', { enclave, name: probe });
    // What a pod has written is in its log a moment later.
    const records = await eventually('the log has every call', () => auditRecords(plane), {
      done: (all) => all.filter(({ tentacle }) => tentacle === probe).length >= everybody.length,
    });
    const lines = (await plane.logLines()).join('\n');
    expect(lines).not.toContain('eyJ');
    // Nothing failed but the issuer's keys, until it was up.
    const faults = lines.split('\n').filter((line) => /"level":"(error|fatal)"/.test(line));
    expect(faults.filter((line) => !line.includes('keys of the issuer'))).toEqual([]);
    const byId = new Map(records.map((record) => [record.call_id, record]));
    expect(byId.size).toBe(records.length);
    const probes = records
      .filter(({ tentacle }) => tentacle === probe)
      .map((record) => record.principal_sub ?? 'bearer');
    expect(probes.sort()).toEqual([...callers.map((caller) => who[caller].sub), 'bearer'].sort());

    const events = (await readApiAudit(inject('auditLog') ?? '', plane.username)).filter(
      ({ objectRef }) => (objectRef?.namespace ?? objectRef?.name) === enclave,
    );
    const joined = events.flatMap((event) => {
      const [, caller, id = ''] = /^tentacular\/\S+ \(caller=(\S+); call=(\S+)\)$/.exec(event.userAgent) ?? [];
      return caller === undefined ? [] : [{ event, caller, record: byId.get(id) }];
    });
    // Summaries of runs are written for several calls at once, under the server's own name; all else is somebody's.
    const others = events.filter(({ userAgent }) => !userAgent.includes('call='));
    expect(new Set(others.map(({ objectRef }) => objectRef?.resource))).toEqual(new Set(['configmaps']));
    expect(joined.length).toBeGreaterThan(50);
    for (const { event, caller, record } of joined) {
      expect(event.impersonatedUser).toBeUndefined();
      expect([event, record]).toMatchObject([{}, { decision: 'allowed', enclave }]);
      expect(caller).toBe(`${record?.principal_kind}:${record?.principal}`);
    }
    const byBob = joined.filter(({ record }) => record?.principal === who.bob.member && record.tentacle === 'shared');
    const written = byBob.map(({ event, record }) => `${record?.tool} ${event.verb} ${event.objectRef?.resource}`);
    expect(written).toContain('wf_apply patch deployments');
    expect(written).toContain('permissions_set patch deployments');
    process.stdout.write(`audit: ${records.length} calls, ${joined.length} of ${events.length} writes joined\n`);
  });

  it('tokens stay good while Keycloak is away, and a member who is removed loses access with the very next call', async () => {
    const { as, who, keycloak } = stage;
    await as('bob').ok('permissions_set', { ...shared, mode: 'open-run' });
    await stop(keycloak.home);
    expect(await as('bob').ok('wf_status', shared)).toMatchObject({ name: 'shared' });
    const synced = await as('ada').ok('enclave_sync', { name: enclave, remove_members: [who.bob.member] });
    expect(synced.transfers).toContainEqual({ name: 'shared', from: who.bob.member });
    for (const tool of ['wf_status', 'wf_run', 'wf_remove']) {
      expect(await as('bob').refused(tool, shared)).toMatchObject({ code: 'not_found' });
    }
    expect(await as('ci').ok('wf_status', shared)).toMatchObject({ name: 'shared' });
  });

  it('authz.enabled=false lets everybody in and says so; a server that starts without the issuer waits for it', {
    timeout: 480_000,
  }, async () => {
    const { plane, plain, who, keycloak } = stage;
    await plane.upgrade({ authz: { enabled: false }, exoskeletonAuth: plain });
    const warning = 'TENTACULAR_AUTHZ_ENABLED=false: permissions are NOT evaluated, for anybody';
    const warned = async () => (await plane.logLines()).filter((line) => line.includes(warning)).length;
    await eventually('each of the two replicas says so, once', warned, { done: (count) => count === 2 });
    const refused = await ping(plane.endpoint, who.eve.token);
    expect([refused.status, refused.retryAfter > 0]).toEqual([503, true]);
    expect((await ping(plane.endpoint, plane.token)).status).toBe(200);
    await launch(keycloak.home);
    await haveKeys(plane, who.eve.token);
    const eve = await connect('2026-07-28', plane.endpoint, who.eve.token);
    expect(await eve.ok('wf_status', shared)).toMatchObject({ name: 'shared' });
    await eve.close();
    const record = await eventually('the call is in the log', async () =>
      (await auditRecords(plane)).find(({ tool }) => tool === 'wf_status'),
    );
    expect(record).toMatchObject({ principal: who.eve.member, reason: expect.stringContaining('turned off') });
  });
});
