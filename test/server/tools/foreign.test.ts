import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import type { ToolName } from '../../../server/api/tools.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { useStage } from '../support/people.ts';

const managed = { 'app.kubernetes.io/managed-by': 'tentacular' };

/** Namespaces of others, and names that try to lead out of an enclave: for the most powerful caller there is. */
describe('what is no enclave of ours', () => {
  const stage = useStage({ startCache: true });
  /** By name the labels of a namespace that somebody else made. */
  const foreign: Readonly<Record<string, JsonObject>> = {
    plain: {},
    'not-managed': { 'tentacular.io/enclave': 'not-managed' },
    'managed-alone': managed,
    'other-label': { ...managed, 'tentacular.io/enclave': 'real' },
    'empty-label': { ...managed, 'tentacular.io/enclave': '' },
    'upper-label': { ...managed, 'tentacular.io/enclave': 'UPPER-LABEL' },
    'managed-by-helm': { 'app.kubernetes.io/managed-by': 'Helm', 'tentacular.io/enclave': 'managed-by-helm' },
  };
  const reserved = ['default', 'kube-system', 'kube-public', 'tentacular-system', 'tentacular-other'];

  beforeAll(async () => {
    const { as, fake } = stage();
    await as('bearer').ok('enclave_provision', { name: 'real', owner_email: 'olga@example.com' });
    for (const [name, labels] of Object.entries(foreign)) {
      fake.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    }
    // The labels of an enclave do not make one of a namespace that we may never touch.
    for (const name of reserved) {
      const labels = { ...managed, 'tentacular.io/enclave': name };
      fake.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    }
    for (const namespace of [...Object.keys(foreign), ...reserved]) {
      const labels = { ...managed, 'tentacular.io/enclave': namespace, 'tentacular.io/tentacle': 'hello' };
      const metadata = { name: 'hello', namespace, labels };
      fake.put({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { template: { spec: {} } } });
    }
  });

  /** Every tool that takes an enclave, with a tentacle in it. */
  const calls: readonly (readonly [ToolName, JsonObject])[] = [
    ['enclave_info', {}],
    ['enclave_sync', { new_status: 'frozen' }],
    ['enclave_deprovision', { confirm: true }],
    ['wf_diff', { name: 'hello' }],
    ['wf_diff', helloWorkflow('hello')],
    ['wf_apply', { name: 'hello' }],
    ['wf_apply', { ...helloWorkflow('hello'), on_conflict: 'take' }],
    ['wf_status', { name: 'hello' }],
    ['wf_list', {}],
    ['wf_run', { name: 'hello' }],
    ['wf_runs', { name: 'hello' }],
    ['wf_logs', { name: 'hello' }],
    ['wf_logs', { pod: 'hello-x' }],
    ['wf_pods', {}],
    ['wf_events', {}],
    ['wf_restart', { name: 'hello' }],
    ['wf_remove', { name: 'hello' }],
    ['permissions_get', {}],
    ['permissions_set', { name: 'hello', mode: 'open-run' }],
    ['permissions_set', { mode: 'open-run' }],
  ];
  const at = (tool: ToolName, args: JsonObject, enclave: string) => ({
    ...args,
    [tool.startsWith('enclave_') ? 'name' : 'enclave']: enclave,
  });

  it.each(calls)('%s %j finds none, and writes nothing', async (tool, args) => {
    const { proxy, as } = stage();
    const from = proxy.seen.length;
    for (const name of [...Object.keys(foreign), ...reserved]) {
      const { error } = await as('bearer').call(tool, at(tool, args, name));
      // The renderer knows reserved names by itself, and is asked first.
      const codes = 'workflow' in args && reserved.includes(name) ? ['invalid_input'] : ['not_found'];
      expect([name, codes]).toEqual([name, expect.arrayContaining([error?.code])]);
    }
    const requests = proxy.seen.slice(from).filter(({ path }) => !path.includes('watch=true'));
    expect(requests.filter(({ isWrite }) => isWrite)).toEqual([]);
    // Not even a look inside.
    expect(requests.filter(({ path }) => !/^\/api\/v1\/namespaces\/[^/?]+$/.test(path))).toEqual([]);
  });

  it.each([
    '../real',
    'real/../other-label',
    'real%2f..%2fplain',
    '%2e%2e',
    'REAL',
    'rеal',
    'real.',
    '.real',
    'real\n',
    'real\u0000',
    'real?watch=true',
    'real#x',
    '-real',
    'a'.repeat(64),
    '',
  ])('the name %j is invalid_input for every tool, and nobody is asked', async (name) => {
    const { proxy, as } = stage();
    const from = proxy.seen.length;
    for (const [tool, args] of calls) {
      expect(await as('bearer').refused(tool, at(tool, args, name))).toMatchObject({ code: 'invalid_input' });
    }
    const provision = { name, owner_email: 'olga@example.com' };
    expect(await as('bearer').refused('enclave_provision', provision)).toMatchObject({ code: 'invalid_input' });
    for (const field of ['name', 'pod'] as const) {
      if (name === 'a'.repeat(64) || name === 'real.') continue;
      const error = await as('bearer').refused('wf_logs', { enclave: 'real', [field]: name });
      expect(error).toMatchObject({ code: 'invalid_input' });
    }
    expect(proxy.seen.slice(from).filter(({ path }) => !path.includes('watch=true'))).toEqual([]);
  });

  it('a namespace of others is never adopted by making an enclave of its name', async () => {
    const { proxy, as } = stage();
    const from = proxy.seen.length;
    for (const name of Object.keys(foreign)) {
      const error = await as('bearer').refused('enclave_provision', { name, owner_email: 'eve@example.com' });
      expect(error).toMatchObject({ code: 'conflict' });
    }
    const carriedOut = proxy.seen.slice(from).filter(({ isWrite, method }) => isWrite && method !== 'POST');
    expect(carriedOut).toEqual([]);
    for (const name of reserved) {
      const error = await as('bearer').refused('enclave_provision', { name, owner_email: 'eve@example.com' });
      expect(error).toMatchObject({ code: 'invalid_input' });
    }
  });

  it('lists hold enclaves of ours alone', async () => {
    const { enclaves } = await stage().as('bearer').ok('enclave_list', {});
    expect((enclaves as JsonObject[]).map(({ name }) => name)).toEqual(['real']);
    expect(await stage().as('bearer').ok('wf_list', {})).toMatchObject({ workflows: [], total: 0 });
  });

  it('annotations of the retired prefix on an enclave are pointed out, and count for nothing', async () => {
    const { as, fake } = stage();
    const many = Array.from({ length: 500 }, (_, index) => [`tentacular.dev/x-${index}`, 'sub-of-eve']);
    const retired = { 'tentacular.dev/owner-sub': 'sub-of-eve', 'tentacular.dev/mode': 'rwxrwxrwx' };
    const labels = { ...managed, 'tentacular.io/enclave': 'older' };
    const annotations = { ...Object.fromEntries(many), ...retired, 'tentacular.io/owner-sub': 'sub-of-olga' };
    fake.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'older', labels, annotations } });
    const { enclaves } = await as('olga').ok('enclave_list', {});
    const [old, real] = enclaves as JsonObject[];
    expect(old).toMatchObject({ name: 'older', owner: { sub: 'sub-of-olga' }, retired_annotations: true });
    expect(real).not.toHaveProperty('retired_annotations');
    const info = await as('olga').ok('enclave_info', { name: 'older' });
    expect(info).toMatchObject({ retired_annotations: true });
    expect(JSON.stringify(info)).not.toContain('sub-of-eve');
    expect(JSON.stringify(info).length).toBeLessThan(1000);
    expect(await as('eve').refused('enclave_info', { name: 'older' })).toMatchObject({ code: 'not_found' });
  });
});
