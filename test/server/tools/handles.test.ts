import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { tentacleLabels } from '../../../constructs/model/labels.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Person, useStage } from '../support/people.ts';

const cursorOf = (content: JsonObject) => Buffer.from(JSON.stringify(content)).toString('base64url');

/**
 * Cursors and plans are no secrets and no rights: they say a place in what the caller himself may read. So one of
 * somebody else, who sees more, gives what a made-up one of the same place gives, byte for byte. Run ids: run-keys.test.ts
 * and hidden.test.ts; names of pods: hidden.test.ts. Ids of calls and traces are taken by no tool.
 */
describe('a handle of somebody else', () => {
  const stage = useStage({ startCache: true });
  const enclave = 'handled';

  beforeAll(async () => {
    const { as, fake } = stage();
    const members = ['mia@example.com'];
    await as('olga').ok('enclave_provision', { name: enclave, members });
    await as('olga').ok('enclave_provision', { name: 'hidden-one' });
    await as('olga').ok('enclave_provision', { name: 'visible', members });
    for (const name of ['alpha', 'hidden', 'omega']) {
      const mode = name === 'hidden' ? 'private' : 'member-edit';
      await as('olga').ok('wf_apply', { enclave, ...helloWorkflow(name), mode });
      const pod = `${name}-7d9f8c7b65-x2z4q`;
      fake.put({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: pod, namespace: enclave, labels: tentacleLabels(enclave, name, '1.0.0') },
        spec: { containers: [] },
        status: { phase: 'Running' },
      });
      fake.put({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `${pod}.1`, namespace: enclave },
        involvedObject: { kind: 'Pod', name: pod },
        reason: 'Started',
        lastTimestamp: `2026-07-28T12:00:0${name.length}Z`,
      });
    }
    const runs = ['c', 'b', 'a'].map((run_id, index) => ({
      run_id,
      trigger: 'manual',
      status: 'succeeded',
      started_at: `2026-07-28T12:00:0${index}.000Z`,
    }));
    for (const name of ['alpha', 'hidden']) {
      fake.put({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `${name}-runs`, namespace: enclave, labels: tentacleLabels(enclave, name, '1.0.0') },
        data: { 'runs.json': JSON.stringify(runs) },
      });
    }
  });

  const text = async (who: Person, tool: string, args: JsonObject) => (await stage().as(who).call(tool, args)).text;

  /** The cursor with which olga's first page of one row goes on behind a row that mia may not see. */
  async function olgasCursor(tool: string, args: JsonObject, rows: string, isHidden: (row: JsonObject) => boolean) {
    let cursor: string | undefined;
    for (;;) {
      const page = await stage()
        .as('olga')
        .ok(tool, { ...args, limit: 1, ...(cursor ? { cursor } : {}) });
      cursor = typeof page.next_cursor === 'string' ? page.next_cursor : undefined;
      if (cursor === undefined) throw new Error(`${tool} has no hidden row that is followed by another`);
      if ((page[rows] as JsonObject[]).some(isHidden)) return cursor;
    }
  }

  it.each<[string, JsonObject, string, (row: JsonObject) => boolean, (key: string) => string]>([
    ['wf_list', {}, 'workflows', ({ name }) => name === 'hidden', (key) => key.replace('hidden', 'hiddeo')],
    ['enclave_list', {}, 'enclaves', ({ name }) => name === 'hidden-one', (key) => key.replace('one', 'onf')],
    ['wf_pods', { enclave }, 'pods', ({ tentacle }) => tentacle === 'hidden', (key) => key.replace('hidden', 'hiddeo')],
    ['wf_events', { enclave }, 'events', ({ object }) => /hidden/.test(String(object)), (key) => `${key}0`],
  ])('as a cursor of %s gives what a made-up one of that place gives, and none of his rows', async (...row) => {
    const [tool, args, rows, isHidden, like] = row;
    const cursor = await olgasCursor(tool, args, rows, isHidden);
    const { after } = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as { after: string };
    const foreign = await text('mia', tool, { ...args, cursor });
    expect(foreign).toBe(await text('mia', tool, { ...args, cursor: cursorOf({ after: like(after) }) }));
    expect(foreign).not.toContain('hidden');
    const all = await stage().as('mia').ok(tool, args);
    expect(Object.keys(JSON.parse(foreign) as JsonObject)).toEqual(expect.arrayContaining([rows, 'total']));
    expect((JSON.parse(foreign) as JsonObject).total).toBe(all.total);
  });

  it('as a cursor of wf_runs opens no other tentacle, and is a mere place in one’s own', async () => {
    const { next_cursor } = await stage().as('olga').ok('wf_runs', { enclave, name: 'hidden', limit: 1 });
    const cursor = String(next_cursor);
    const ask = (name: string, given: string) => text('mia', 'wf_runs', { enclave, name, cursor: given });
    expect(await ask('hidden', cursor)).toBe(await ask('hidden', cursorOf({ after: 'x' })));
    expect((await ask('hidden', cursor)).replaceAll('hidden', 'absent')).toBe(await ask('absent', cursor));
    const { after } = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as { after: string };
    expect(await ask('alpha', cursor)).toBe(await ask('alpha', cursorOf({ after })));
  });

  it('as a cursor of a text counts for no other text, like one that was never given', async () => {
    const long = (text: string) => {
      const source = helloWorkflow('long');
      source.files['nodes/greet.ts'] += `// ${text.repeat(40_000)}\n`;
      return { enclave, ...source };
    };
    const { next_cursor } = await stage().as('olga').ok('wf_render', long('x'));
    const foreign = await text('mia', 'wf_render', { ...long('y'), cursor: String(next_cursor) });
    const unknown = await text('mia', 'wf_render', { ...long('y'), cursor: cursorOf({ text: `${'f'.repeat(16)}:9` }) });
    expect(foreign).toBe(unknown);
    expect(foreign).toContain('"invalid_input"');
  });

  it.each(['', 'x', '!!!', cursorOf({}), cursorOf({ after: 7 }), cursorOf({ after: { a: 1 } }), 'e30='])(
    'and %j as a cursor is invalid_input everywhere, in the same words',
    async (cursor) => {
      const calls: readonly (readonly [string, JsonObject])[] = [
        ['wf_list', {}],
        ['enclave_list', {}],
        ['wf_pods', { enclave }],
        ['wf_events', { enclave }],
        ['wf_runs', { enclave, name: 'alpha' }],
        ['wf_render', { enclave, ...helloWorkflow('x') }],
      ];
      const answers = await Promise.all(calls.map(([tool, args]) => text('mia', tool, { ...args, cursor })));
      expect(new Set(answers).size).toBe(1);
      expect(answers[0]).toContain('"invalid_input"');
    },
  );

  it('as a plan is no right, and one of another tentacle answers like one that nobody made', async () => {
    const next = (name: string) => ({ enclave, ...helloWorkflow(name, { description: 'next' }) });
    const plans = new Map<string, string>();
    for (const name of ['alpha', 'hidden', 'omega']) {
      plans.set(name, String((await stage().as('olga').ok('wf_diff', next(name))).plan));
    }
    const nobodys = 'f'.repeat(String(plans.get('alpha')).length);
    const apply = (who: Person, name: string, plan: string) => text(who, 'wf_apply', { ...next(name), plan });
    // Who may not read it is told the same with the right plan as with a wrong one, and as of what is not there.
    const hidden = await apply('mia', 'hidden', String(plans.get('hidden')));
    expect(hidden).toBe(await apply('mia', 'hidden', nobodys));
    expect(hidden).toContain('taken');
    const closed = await apply('eve', 'hidden', String(plans.get('hidden')));
    expect(closed).toBe(await apply('eve', 'hidden', nobodys));
    expect(closed).toContain('"not_found"');
    for (const plan of [String(plans.get('hidden')), String(plans.get('omega')), nobodys]) {
      expect(await apply('mia', 'alpha', plan)).toBe(await apply('mia', 'alpha', nobodys));
      expect(await apply('mia', 'alpha', plan)).toContain('"stale_plan"');
    }
    // It says only what is there: whoever may apply may use one that somebody else has shown him.
    expect(await apply('mia', 'alpha', String(plans.get('alpha')))).toContain('"updated"');
  });

  // Harm prevented: whoever may edit Deployments or ConfigMaps by other means reads code through the server that he may
  // not read.
  it('as the code that a Deployment or a revision names is not rendered: it is of another tentacle', async () => {
    const { fake, harness } = stage();
    const source = helloWorkflow('app-code-x');
    source.files['nodes/greet.ts'] += '// CANARY-0451\n';
    await stage()
      .as('olga')
      .ok('wf_apply', { enclave, ...source, mode: 'private' });
    await stage()
      .as('mia')
      .ok('wf_apply', { enclave, ...helloWorkflow('app') });
    const text = (await harness.cluster.deployment(enclave, 'app-code-x').then(JSON.stringify)) ?? '';
    const code = /app-code-x-code-\w+/.exec(text)?.[0] ?? '';
    const forge = async (kind: string, apiVersion: string, name: string, from: RegExp, to: string) => {
      const live = JSON.stringify(await harness.cluster.reader.get({ apiVersion, kind, namespace: enclave, name }));
      expect(live).toMatch(from);
      fake.put(JSON.parse(live.replace(from, to)) as JsonObject);
    };
    const refused = async () => {
      const error = await stage().as('mia').refused('wf_apply', { enclave, name: 'app', dry_run: true });
      expect(error).toMatchObject({ code: 'not_found' });
      expect(JSON.stringify(error)).not.toContain('CANARY');
    };
    const own = /(?<!\/)\bapp-code-[0-9a-f]{9}\b/g;
    await forge('ConfigMap', 'v1', 'app-rev-1', own, code);
    await refused();
    await forge('Deployment', 'apps/v1', 'app', own, code);
    await forge('Deployment', 'apps/v1', 'app', /"tentacular.io\/revision":"1"/, '"tentacular.io/revision":"7"');
    await refused();
  });
});
