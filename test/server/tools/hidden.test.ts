import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { tentacleLabels } from '../../../constructs/model/labels.ts';
import { renderTentacle } from '../../../constructs/render.ts';
import { type ToolName, toolApis } from '../../../server/api/tools.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Person, useStage } from '../support/people.ts';
import { rendererOptions } from '../support/renderer-options.ts';

/** Names of the same length: answers about one are those about the other, letter by letter, with the name exchanged. */
const there = { enclave: 'team-seen', name: 'secret-one', pod: 'secret-one-7d9f8c7b65-x2z4q' };
const absent = { enclave: 'team-none', name: 'secret-two', pod: 'secret-two-7d9f8c7b65-x2z4q' };

const manifestsOf = (enclave: string, name: string) =>
  JSON.parse(JSON.stringify(renderTentacle({ enclave, ...helloWorkflow(name) }, rendererOptions).manifests));

/** Arguments for every tool that is about an enclave or a tentacle; a new tool without a line here fails a test. */
const calls: Readonly<Record<ToolName, ((enclave: string, name: string, pod: string) => JsonObject[]) | 'about none'>> =
  {
    enclave_list: 'about none',
    // Says that a name is taken, as it must.
    enclave_provision: 'about none',
    wf_render: 'about none',
    enclave_info: (name) => [{ name }],
    enclave_sync: (name) => [
      { name, add_members: ['eve@example.com'] },
      { name, new_owner: 'eve@example.com' },
    ],
    enclave_deprovision: (name) => [
      { name, confirm: true },
      { name, dry_run: true },
    ],
    wf_diff: (enclave, name) => [
      { enclave, name },
      { enclave, ...helloWorkflow(name) },
    ],
    wf_apply: (enclave, name) => [
      { enclave, name },
      { enclave, ...helloWorkflow(name) },
      { enclave, ...helloWorkflow(name), dry_run: true },
      { enclave, manifests: manifestsOf(enclave, name) },
    ],
    wf_status: (enclave, name) => [
      { enclave, name },
      { enclave, name, detail: true },
    ],
    wf_list: (enclave) => [{ enclave }],
    wf_run: (enclave, name) => [
      { enclave, name },
      { enclave, name, async: true },
    ],
    wf_runs: (enclave, name) => [
      { enclave, name },
      { enclave, name, run_id: 'run-1' },
    ],
    wf_logs: (enclave, name, pod) => [
      { enclave, name },
      { enclave, pod },
    ],
    wf_pods: (enclave, name) => [{ enclave, name }],
    wf_events: (enclave, name) => [{ enclave, name }],
    wf_restart: (enclave, name) => [{ enclave, name }],
    wf_remove: (enclave, name) => [
      { enclave, name },
      { enclave, name, dry_run: true, keep_history: true },
    ],
    permissions_get: (enclave, name) => [{ enclave, name }],
    permissions_set: (enclave, name) => [
      { enclave, name, mode: 'open-run' },
      { enclave, name, owner: 'sub-of-eve' },
      { enclave, name, mode: 'open-run', owner: 'sub-of-eve' },
    ],
  };
const toolNames = Object.keys(toolApis) as ToolName[];

describe('what a caller may not read', () => {
  const stage = useStage({ startCache: true });

  beforeAll(async () => {
    const { as, fake } = stage();
    for (const enclave of [there.enclave, 'team-frost']) {
      await as('olga').ok('enclave_provision', {
        name: enclave,
        members: ['mia@example.com', 'max@example.com'],
        mode: enclave === 'team-frost' ? 'rwxrwx---' : 'rwxr-xr--',
      });
      await as('olga').ok('wf_apply', { enclave, ...helloWorkflow(there.name), mode: 'private' });
      await as('olga').ok('wf_apply', { enclave, ...helloWorkflow('open-one'), mode: 'open-read' });
      for (const [pod, tentacle] of [
        [there.pod, there.name],
        ['open-one-7d9f8c7b65-x2z4q', 'open-one'],
        ['stray', undefined],
      ] as const) {
        const labels = tentacle
          ? {
              'app.kubernetes.io/managed-by': 'tentacular',
              'tentacular.io/enclave': enclave,
              'tentacular.io/tentacle': tentacle,
            }
          : {};
        fake.put({
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: pod, namespace: enclave, labels },
          spec: { containers: [{ name: 'engine', image: 'i' }] },
          status: { phase: 'Running' },
        });
        fake.log(pod, 'engine', 'a line');
        fake.put({
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name: `${pod}.1`, namespace: enclave },
          involvedObject: { kind: 'Pod', name: pod },
          reason: 'Started',
          message: `about ${pod}`,
          lastTimestamp: '2026-07-28T12:00:00Z',
        });
      }
    }
  });

  /** The whole answer, with the names of what is there replaced by those of what is not. */
  async function answer(who: Person, tool: ToolName, args: JsonObject): Promise<string> {
    const { result, error } = await stage().as(who).call(tool, args);
    return JSON.stringify({ result, error })
      .replaceAll(there.enclave, absent.enclave)
      .replaceAll('team-frost', absent.enclave)
      .replaceAll(there.name, absent.name)
      .replace(/trace id \w+/g, '')
      .replace(/"spec_hash":"\w+"/g, '');
  }

  it.each(toolNames)('an enclave that is hidden answers %s like one that does not exist', async (tool) => {
    const make = calls[tool];
    if (make === 'about none') return;
    const hidden = make('team-frost', there.name, there.pod);
    const emptier = make('team-frost', absent.name, absent.pod);
    for (const [index, args] of make(absent.enclave, absent.name, absent.pod).entries()) {
      const { seen } = stage().proxy;
      const from = seen.length;
      const said = await answer('eve', tool, hidden[index] ?? {});
      expect(said).toContain('"not_found"');
      // Nothing was touched, and nothing read but what is asked for one that is not there: nor does time tell them apart.
      const asked = seen.slice(from).map(({ method, path }) => `${method} ${path}`);
      expect(asked).toEqual(['GET /api/v1/namespaces/team-frost']);
      expect(said.replaceAll(there.pod, absent.pod)).toBe(await answer('eve', tool, args));
      expect(await answer('eve', tool, emptier[index] ?? {})).toBe(await answer('eve', tool, args));
    }
  });

  it.each(toolNames)('a tentacle that is hidden answers %s like one that does not exist', async (tool) => {
    const make = calls[tool];
    if (make === 'about none' || tool === 'enclave_info' || tool === 'wf_list' || /^enclave/.test(tool)) return;
    // A member reads the enclave, another reads it as one of the others; neither may create here.
    for (const who of ['mia', 'eve'] as const) {
      const hidden = make(there.enclave, there.name, there.pod);
      for (const [index, args] of make(there.enclave, absent.name, absent.pod).entries()) {
        const said = await answer(who, tool, hidden[index] ?? {});
        expect(said).toMatch(tool === 'wf_remove' ? /"not_found"/ : /"(not_found|permission_denied)"/);
        expect(said).toBe(await answer(who, tool, args));
      }
    }
  });

  it('who may create in the enclave learns of a hidden tentacle that its name is taken, and nothing more', async () => {
    const mia = stage().as('mia');
    const place = { enclave: 'team-frost', ...helloWorkflow(there.name) };
    for (const [tool, args] of [
      ['wf_apply', place],
      ['wf_apply', { ...place, dry_run: true }],
      ['wf_diff', place],
    ] as const) {
      expect(await mia.refused(tool, args)).toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('taken'),
      });
      const reason = expect.stringContaining('tentacle: group has ---');
      expect(stage().harness.audit.at(-1)).toMatchObject({ decision: 'denied', reason, tentacle: there.name });
    }
    for (const tool of ['wf_apply', 'wf_diff', 'wf_status', 'permissions_get'] as const) {
      const hidden = await answer('mia', tool, { enclave: 'team-frost', name: there.name });
      expect(hidden).toBe(await answer('mia', tool, { enclave: 'team-frost', name: absent.name }));
    }
    // Removing nothing is no error: nor is removing what is hidden, and nothing goes.
    const removed = await answer('mia', 'wf_remove', { enclave: 'team-frost', name: there.name });
    expect(stage().harness.audit.at(-1)).toMatchObject({ reason: expect.stringContaining('nothing was touched') });
    expect(removed).toBe(await answer('mia', 'wf_remove', { enclave: 'team-frost', name: absent.name }));
    expect(await stage().as('olga').ok('wf_status', { enclave: 'team-frost', name: there.name })).toBeDefined();
  });

  it('lists leave out what the caller may not read, and counts do not tell of it', async () => {
    const names = async (who: Person) => {
      const { workflows, total } = await stage().as(who).ok('wf_list', {});
      const rows = (workflows as JsonObject[]).map(({ enclave, name }) => `${enclave}/${name}`);
      expect(total).toBe(rows.length);
      return rows;
    };
    expect(await names('olga')).toHaveLength(4);
    expect(await names('mia')).toEqual(['team-frost/open-one', `${there.enclave}/open-one`]);
    expect(await names('eve')).toEqual([`${there.enclave}/open-one`]);
    expect(await stage().as('eve').ok('enclave_list', {})).toMatchObject({
      total: 1,
      enclaves: [{ name: there.enclave }],
    });
    const counts = await Promise.all(
      (['olga', 'mia', 'eve'] as const).map((who) => stage().as(who).ok('enclave_info', { name: there.enclave })),
    );
    expect(counts.map(({ tentacle_count, caller_role }) => [tentacle_count, caller_role])).toEqual([
      [2, 'owner'],
      [1, 'group'],
      [1, 'others'],
    ]);
  });

  it('pods and events of a whole enclave are those of tentacles that the caller may read; the rest is for its owner', async () => {
    const seen = async (who: Person | 'bearer') => {
      const { pods } = await stage().as(who).ok('wf_pods', { enclave: there.enclave });
      const { events } = await stage().as(who).ok('wf_events', { enclave: there.enclave });
      const objects = (events as JsonObject[]).map(({ object }) => String(object).replace('Pod/', ''));
      expect(objects.sort()).toEqual((pods as JsonObject[]).map(({ name }) => name));
      return objects;
    };
    const all = ['open-one-7d9f8c7b65-x2z4q', there.pod, 'stray'];
    expect(await seen('olga')).toEqual(all);
    expect(await seen('bearer')).toEqual(all);
    expect(await seen('mia')).toEqual(all.slice(0, 1));
    expect(await seen('eve')).toEqual(all.slice(0, 1));
  });

  it('logs of a pod are for those who may read its tentacle', async () => {
    const read = (who: Person, pod: string) => stage().as(who).call('wf_logs', { enclave: there.enclave, pod });
    for (const pod of [there.pod, 'stray']) {
      expect((await read('olga', pod)).result).toMatchObject({ lines: [{ text: 'a line' }] });
    }
    expect((await read('mia', 'open-one-7d9f8c7b65-x2z4q')).result).toMatchObject({ lines: [{ text: 'a line' }] });
    for (const pod of [there.pod, 'stray', 'nothing']) {
      expect((await read('mia', pod)).error).toMatchObject({ code: 'not_found' });
    }
  });

  it('a run id of a tentacle that is hidden is unknown everywhere else', async () => {
    const run = {
      run_id: 'run-of-the-hidden-one',
      trigger: 'manual',
      status: 'succeeded',
      started_at: '2026-07-28T12:00:00Z',
    };
    stage().fake.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: `${there.name}-runs`,
        namespace: there.enclave,
        labels: tentacleLabels(there.enclave, there.name, '1.0.0'),
      },
      data: { 'runs.json': JSON.stringify([run]) },
    });
    const ask = (who: Person, name: string, run_id: string) =>
      stage().as(who).call('wf_runs', { enclave: there.enclave, name, run_id });
    expect((await ask('olga', there.name, run.run_id)).result).toMatchObject({ run: { run_id: run.run_id } });
    for (const name of ['open-one', there.name]) {
      const foreign = (await ask('mia', name, run.run_id)).text;
      const unknown = (await ask('mia', name, 'run-that-never-was-on')).text;
      expect(foreign.replaceAll(run.run_id, 'run-that-never-was-on')).toBe(unknown);
      expect(foreign).toContain('not_found');
    }
  });

  it('the audit record tells the true reason that the caller is not told', async () => {
    await stage().as('mia').refused('wf_status', { enclave: there.enclave, name: there.name });
    expect(stage().harness.audit.at(-1)).toMatchObject({
      principal: 'mia@example.com',
      principal_kind: 'oidc',
      principal_sub: 'sub-of-mia',
      decision: 'denied',
      outcome: 'not_found',
      reason: 'tentacle: group has --- of rwx------, r is needed',
      enclave: there.enclave,
      tentacle: there.name,
    });
  });
});
