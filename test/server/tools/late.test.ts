import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import type { Manifest } from '../../../constructs/model/manifest.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Person, people, useStage } from '../support/people.ts';

/** Rights that go between the decision and the write: what is there then decides, not what was read for the decision. */
describe('what has changed hands since it was decided', () => {
  const stage = useStage();
  const as = (who: Person | 'bearer') => stage().as(who);
  const enclave = 'late';

  beforeAll(async () => {
    await as('olga').ok('enclave_provision', { name: enclave, members: ['mia@example.com', 'max@example.com'] });
  });

  /** Lets `change` happen once, when the server has asked this often for what `asked` tells. */
  function meanwhile(asked: (path: string) => boolean, times: number, change: () => void) {
    let seen = 0;
    stage().proxy.rule(({ path, method }) => {
      if (method === 'GET' && asked(path) && ++seen === times) change();
      return 'pass';
    });
  }

  const put = (live: Manifest | undefined, annotations: JsonObject) => {
    if (!live) throw new Error('it is gone');
    const metadata = { ...live.metadata, annotations: { ...live.metadata.annotations, ...annotations } };
    stage().fake.put(JSON.parse(JSON.stringify({ ...live, metadata })) as JsonObject);
  };
  const eves = { 'tentacular.io/owner-sub': people.eve.sub, 'tentacular.io/mode': 'rwx------' };

  it.each<[string, JsonObject, number]>([
    // The second look at the Deployment is the one before the write.
    ['wf_restart', {}, 2],
    ['wf_remove', {}, 2],
    ['permissions_set', { mode: 'open-run' }, 2],
  ])('is not touched by %s', async (tool, args, times) => {
    const name = tool.replaceAll('_', '-');
    await as('mia').ok('wf_apply', { enclave, ...helloWorkflow(name) });
    const { cluster } = stage().harness;
    const live = await cluster.deployment(enclave, name);
    meanwhile(
      (path) => path.includes('/deployments'),
      times,
      () => put(live, eves),
    );
    const error = await as('mia').refused(tool, { enclave, name, ...args });
    stage().proxy.rule(() => 'pass');
    expect(error).toMatchObject({ code: 'not_found' });
    const after = await cluster.deployment(enclave, name);
    expect(after?.metadata.annotations).toMatchObject(eves);
    expect(after?.spec).toEqual(live?.spec);
    const service = { apiVersion: 'v1', kind: 'Service', namespace: enclave, name };
    expect(await cluster.reader.get(service)).toBeDefined();
  });

  it.each<[string, JsonObject]>([
    ['enclave_deprovision', { confirm: true }],
    ['enclave_sync', { add_members: ['ci@example.com'] }],
    ['permissions_set', { mode: 'open-run', owner: 'ci@example.com' }],
  ])('nor an enclave by %s', async (tool, args) => {
    const name = `late-${tool.replaceAll('_', '-')}`;
    await as('mia').ok('enclave_provision', { name });
    const { cluster } = stage().harness;
    const live = await cluster.enclave(name);
    const owner = { 'tentacular.io/owner-sub': people.eve.sub, 'tentacular.io/owner-email': 'eve@example.com' };
    meanwhile(
      (path) => path === `/api/v1/namespaces/${name}`,
      2,
      () => put(live, owner),
    );
    const named = tool === 'permissions_set' ? { enclave: name } : { name };
    const error = await as('mia').refused(tool, { ...named, ...args });
    stage().proxy.rule(() => 'pass');
    expect(error).toMatchObject({ code: 'not_found' });
    const after = await cluster.enclave(name);
    expect(after?.metadata.annotations).toMatchObject(owner);
    expect(JSON.stringify(after)).not.toContain('ci@example.com');
  });

  it('a removal that finds nothing any more is still no error', async () => {
    await as('mia').ok('wf_apply', { enclave, ...helloWorkflow('gone') });
    await as('mia').ok('wf_remove', { enclave, name: 'gone' });
    expect(await as('mia').ok('wf_remove', { enclave, name: 'gone' })).toMatchObject({ deleted: [] });
  });

  // Harm prevented: who may only read a tentacle could try passwords against the stored one, a thousand a second.
  it('whether a credential is the stored one is told only to who could replace it', async () => {
    const source = { enclave, ...helloWorkflow('guarded') };
    await as('mia').ok('wf_apply', { ...source, mode: 'group-read', secrets: { api: { pin: '0451' } } });
    const guess = (who: Person, pin: string) => as(who).call('wf_diff', { ...source, secrets: { api: { pin } } });
    expect((await guess('mia', '0451')).result).toMatchObject({ secrets: { api: 'same' } });
    const right = await guess('max', '0451');
    expect(right.error).toMatchObject({ code: 'permission_denied' });
    expect(right.text).toBe((await guess('max', '0000')).text);
    expect((await as('max').call('wf_diff', source)).result).toMatchObject({ changed: false });
  });
});
