import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { renderTentacle } from '../../../constructs/render.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Person, people, useStage } from '../support/people.ts';
import { rendererOptions } from '../support/renderer-options.ts';

describe('who owns what', () => {
  const stage = useStage();
  const as = (who: Person | 'bearer') => stage().as(who);
  const enclave = 'owned';

  beforeAll(async () => {
    await as('olga').ok('enclave_provision', {
      name: enclave,
      members: ['mia@example.com', 'max@example.com', 'client:ci'],
    });
  });

  const apply = (who: Person | 'bearer', name: string, more: JsonObject = {}) =>
    as(who).ok('wf_apply', { enclave, ...helloWorkflow(name), ...more });
  const annotationsOf = async (name: string) =>
    (await stage().harness.cluster.deployment(enclave, name))?.metadata.annotations ?? {};

  it.each([
    [
      'a person',
      'mia',
      {
        'owner-sub': 'sub-of-mia',
        'owner-email': 'mia@example.com',
        'owner-name': 'mia the tester',
        'auth-provider': 'keycloak',
        'deployed-by': 'mia@example.com',
        'updated-by-sub': 'sub-of-mia',
        'updated-by-email': 'mia@example.com',
      },
    ],
    [
      'a service account',
      'ci',
      {
        'owner-sub': 'sub-of-ci',
        'owner-email': undefined,
        'owner-name': 'client:ci',
        'auth-provider': 'keycloak',
        'deployed-by': 'client:ci',
        'updated-by-sub': 'sub-of-ci',
        'updated-by-email': undefined,
      },
    ],
    [
      'a bearer token',
      'bearer',
      {
        'owner-sub': undefined,
        'owner-email': undefined,
        'owner-name': undefined,
        'auth-provider': 'bearer-token',
        'deployed-by': 'bearer-token',
        'updated-by-sub': undefined,
        'updated-by-email': undefined,
      },
    ],
  ] as const)('what %s makes says so', async (_what, who, expected) => {
    const name = `made-by-${who}`;
    await apply(who, name);
    const found = await annotationsOf(name);
    for (const [key, value] of Object.entries(expected))
      expect([key, found[`tentacular.io/${key}`]]).toEqual([key, value]);
    expect(found['tentacular.io/deployed-via']).toMatch(/^tentacular-e2e-2026-07-28\/1\.0\.0/);
    expect(found['tentacular.io/created-at']).toMatch(/^\d{4}-/);
  });

  const createOnly = ['owner-sub', 'owner-email', 'owner-name', 'auth-provider', 'created-at', 'mode'];
  const kept = (found: Readonly<Record<string, string>>) => createOnly.map((key) => found[`tentacular.io/${key}`]);

  it('an update changes who deployed, never whose it is, whoever sends it and in whatever form', async () => {
    await apply('mia', 'steady', { mode: 'member-edit' });
    const first = kept(await annotationsOf('steady'));
    const updates: readonly [Person | 'bearer', JsonObject][] = [
      ['max', helloWorkflow('steady', { description: 'by max' })],
      ['bearer', helloWorkflow('steady', { description: 'by bearer' })],
      ['ci', helloWorkflow('steady', { description: 'by ci' })],
      ['max', { manifests: manifestsOf('steady', { description: 'as manifests' }) }],
      ['olga', helloWorkflow('steady', { description: 'by the owner of the enclave' })],
    ];
    for (const [who, source] of updates) {
      expect(await as(who).ok('wf_apply', { enclave, ...source })).toMatchObject({ status: 'updated' });
      const found = await annotationsOf('steady');
      expect(kept(found)).toEqual(first);
      const by = who === 'bearer' ? 'bearer-token' : people[who].name;
      expect(found['tentacular.io/deployed-by']).toBe(by);
    }
  });

  const manifestsOf = (name: string, overrides: JsonObject = {}) =>
    JSON.parse(
      JSON.stringify(renderTentacle({ enclave, ...helloWorkflow(name, overrides) }, rendererOptions).manifests),
    ) as JsonObject[];

  it.each(createOnly.concat('deployed-by', 'revision', 'spec-hash', 'enclave-members'))(
    'manifests cannot forge %s',
    async (key) => {
      const forged = manifestsOf('forged');
      for (const manifest of forged) {
        const metadata = manifest.metadata as JsonObject;
        metadata.annotations = { ...(metadata.annotations as JsonObject), [`tentacular.io/${key}`]: 'sub-of-eve' };
      }
      const outcome = await as('max').call('wf_apply', { enclave, manifests: forged });
      const found = await annotationsOf('forged');
      expect(JSON.stringify(found)).not.toContain('sub-of-eve');
      // Stamps of a server are ignored, everything else is refused.
      if (key !== 'deployed-by') expect(outcome.error).toMatchObject({ code: 'policy_violation' });
    },
  );

  it('a tentacle without owner is told as such to those who read the enclave, and hidden from all others', async () => {
    await apply('bearer', 'orphan');
    for (const [tool, args] of [
      ['wf_status', {}],
      ['wf_run', {}],
      ['wf_apply', helloWorkflow('orphan')],
      ['wf_remove', {}],
      ['permissions_get', {}],
    ] as const) {
      const call = { enclave, name: 'orphan', ...args };
      const error = await as('mia').refused(tool, call);
      expect(error).toMatchObject({ code: 'no_owner', message: expect.stringContaining('resource has no owner') });
      expect(error.hint).toMatch(/permissions_set.*wf_remove/s);
      expect(await as('eve').refused(tool, call)).toMatchObject({ code: 'not_found' });
    }
  });

  it('the owner of the enclave adopts it, and then it is like any other; nobody else may', async () => {
    const adopt = { enclave, name: 'orphan', owner: 'olga@example.com' };
    expect(await as('mia').refused('permissions_set', { ...adopt, owner: 'sub-of-mia' })).toMatchObject({
      code: 'permission_denied',
    });
    expect(await as('olga').ok('permissions_set', adopt)).toMatchObject({
      before: { owner: {} },
      after: { owner: { sub: people.olga.sub, email: 'olga@example.com' } },
    });
    expect(await as('mia').ok('wf_status', { enclave, name: 'orphan' })).toBeDefined();
    await as('olga').ok('permissions_set', { enclave, name: 'orphan', owner: people.mia.sub });
    await as('mia').ok('wf_apply', { enclave, ...helloWorkflow('orphan', { description: 'mine' }) });
    expect((await annotationsOf('orphan'))['tentacular.io/owner-sub']).toBe(people.mia.sub);
  });

  it('the owner of the enclave may do everything in it, also to what is private', async () => {
    await apply('mia', 'private', { mode: 'private' });
    expect(await as('max').refused('wf_status', { enclave, name: 'private' })).toMatchObject({ code: 'not_found' });
    expect(await as('olga').ok('wf_status', { enclave, name: 'private' })).toBeDefined();
    expect(await as('olga').ok('wf_remove', { enclave, name: 'private' })).toBeDefined();
  });

  it('a mode is changed by the owner of the tentacle or of the enclave, counts at once, and outlives an update', async () => {
    await apply('mia', 'moded');
    const set = (who: Person | 'bearer', mode: string) =>
      as(who).call('permissions_set', { enclave, name: 'moded', mode });
    expect((await set('max', 'open-run')).error).toMatchObject({ code: 'permission_denied' });
    expect((await set('mia', 'private')).result).toMatchObject({
      before: { mode: 'rwxr-x---', preset: 'group-read' },
      after: { mode: 'rwx------', preset: 'private' },
    });
    expect(await as('max').refused('wf_status', { enclave, name: 'moded' })).toMatchObject({ code: 'not_found' });
    expect((await set('olga', 'rwxrwx---')).result).toMatchObject({ after: { preset: 'member-edit' } });
    await apply('max', 'moded', helloWorkflow('moded', { description: 'by max' }));
    expect((await annotationsOf('moded'))['tentacular.io/mode']).toBe('rwxrwx---');
    expect((await set('bearer', 'member-run')).result).toMatchObject({ after: { mode: 'rwx--x---' } });
    expect((await set('mia', '777')).error).toMatchObject({ code: 'invalid_input' });
  });

  it('a mode that is sent after the tentacle was made is refused, in the input and in the workflow; a stored one is not', async () => {
    const source = helloWorkflow('sent', { deployment: { mode: 'private' } });
    await apply('mia', 'sent', source);
    expect(await apply('mia', 'sent', { ...source, mode: 'rwx------' })).toMatchObject({ status: 'unchanged' });
    await as('mia').ok('permissions_set', { enclave, name: 'sent', mode: 'member-edit' });
    for (const [path, more] of [
      ['workflow.deployment.mode', {}],
      ['mode', { mode: 'private' }],
    ] as const) {
      const refused = await as('mia').refused('wf_apply', { enclave, ...source, ...more });
      expect(refused).toMatchObject({ code: 'invalid_input', details: { faults: [{ path }] } });
      expect(JSON.stringify(refused)).toContain('permissions_set');
    }
    // What the input says goes before the workflow, as at creation.
    expect(await apply('mia', 'sent', { ...source, mode: 'member-edit' })).toMatchObject({ status: 'unchanged' });
    expect(await as('mia').ok('wf_apply', { enclave, name: 'sent' })).toMatchObject({ status: 'unchanged' });
    expect((await annotationsOf('sent'))['tentacular.io/mode']).toBe('rwxrwx---');
  });

  it('changing permissions writes annotations and nothing else: no rollout, no revision, no drift', async () => {
    await apply('mia', 'still');
    const before = await stage().harness.cluster.deployment(enclave, 'still');
    await as('mia').ok('permissions_set', { enclave, name: 'still', mode: 'member-edit' });
    const after = await stage().harness.cluster.deployment(enclave, 'still');
    expect(after?.spec).toEqual(before?.spec);
    expect(after?.metadata.generation).toBe(before?.metadata.generation);
    expect(await as('mia').ok('wf_status', { enclave, name: 'still' })).toMatchObject({ revision: 1, drift: false });
    expect(await apply('mia', 'still')).toMatchObject({ status: 'unchanged' });
  });

  it.each([
    ['neither mode nor owner', {}],
    ['an address of a stranger', { owner: 'eve@example.com' }],
    ['an owner with a line break', { owner: 'sub\nx' }],
    ['a mode that is none', { mode: 'rwx' }],
  ])('permissions_set with %s is invalid_input', async (_what, args) => {
    expect(await as('olga').refused('permissions_set', { enclave, name: 'still', ...args })).toMatchObject({
      code: 'invalid_input',
    });
  });

  it('permissions_get tells the caller what he may do, and by which rule', async () => {
    await apply('mia', 'told');
    const rights = async (who: Person | 'bearer', name?: string) => {
      const { caller } = await as(who).ok('permissions_get', { enclave, ...(name ? { name } : {}) });
      const { role, rights } = caller as { role: string; rights: { right: string; allowed: boolean; rule: string }[] };
      expect(rights.every(({ rule }) => rule.length > 5)).toBe(true);
      return [role, ...rights.filter(({ allowed }) => allowed).map(({ right }) => right)];
    };
    const all = ['read', 'write', 'run', 'change_mode', 'change_owner'];
    expect(await rights('olga', 'told')).toEqual(['enclave-owner', ...all]);
    expect(await rights('bearer', 'told')).toEqual(['bearer', ...all]);
    expect(await rights('mia', 'told')).toEqual(['owner', ...all.slice(0, 4)]);
    expect(await rights('max', 'told')).toEqual(['group', 'read', 'run']);
    expect(await rights('max')).toEqual(['group', 'read', 'create']);
    expect(await rights('olga')).toEqual(['enclave-owner', 'read', 'create', 'change_mode', 'change_owner', 'manage']);
  });

  it('permissions of the enclave itself are for its owner', async () => {
    const set = { enclave, mode: 'open-read' };
    expect(await as('mia').refused('permissions_set', set)).toMatchObject({ code: 'permission_denied' });
    expect(await as('olga').ok('permissions_set', set)).toMatchObject({ after: { mode: 'rwxrwxr--' } });
    expect(await as('eve').ok('permissions_get', { enclave })).toMatchObject({ caller: { role: 'others' } });
    const author = async () =>
      (await stage().harness.cluster.enclave(enclave))?.metadata.annotations?.['tentacular.io/updated-by-sub'];
    await as('bearer').ok('permissions_set', { enclave, mode: 'rwxrwx--x' });
    expect(await author()).toBe('');
    await as('olga').ok('permissions_set', { enclave, mode: 'rwxrwx---' });
    expect(await author()).toBe(people.olga.sub);
  });

  // Somebody makes a private tentacle of the same name and source between the decision and the write.
  it("what has become somebody else's between decision and write is not written", async () => {
    const { cluster } = stage().harness;
    await apply('mia', 'contested', { mode: 'private' });
    const before = await cluster.deployment(enclave, 'contested');
    const asked: (string | undefined)[] = [];
    const late = cluster.apply({
      rendered: renderTentacle({ enclave, ...helloWorkflow('contested') }, rendererOptions),
      options: rendererOptions,
      rendererVersion: 'test/1',
      stamps: { deployedBy: 'max@example.com' },
      seen: { deployment: undefined },
      admit: (found) => {
        asked.push(found?.metadata.annotations?.['tentacular.io/owner-sub']);
        if (found) throw new Error('it is not yours');
      },
    });
    await expect(late).rejects.toThrow('it is not yours');
    expect(asked).toEqual([undefined, undefined, people.mia.sub]);
    expect(await cluster.deployment(enclave, 'contested')).toEqual(before);
  });

  it('a right that was withdrawn while an apply waits counts at once', async () => {
    await apply('mia', 'withdrawn', { mode: 'member-edit' });
    const live = await stage().harness.cluster.deployment(enclave, 'withdrawn');
    if (!live) throw new Error('it is gone');
    const annotations = { ...live.metadata.annotations, 'tentacular.io/mode': 'rwxr-x---' };
    let withdrawn = false;
    stage().proxy.rule(({ isWrite, path }) => {
      if (isWrite && path.includes('/deployments/withdrawn') && !withdrawn) {
        withdrawn = true;
        stage().fake.put({ ...live, metadata: { ...live.metadata, annotations } });
      }
      return 'pass';
    });
    const change = { enclave, ...helloWorkflow('withdrawn', { description: 'by max' }) };
    expect(await as('max').refused('wf_apply', change)).toMatchObject({ code: 'permission_denied' });
    stage().proxy.rule(() => 'pass');
    expect(withdrawn).toBe(true);
    expect((await annotationsOf('withdrawn'))['tentacular.io/deployed-by']).toBe('mia@example.com');
  });

  it('who is a member by an address that is not verified is told why he is not', async () => {
    await as('olga').ok('enclave_provision', { name: 'open', mode: 'open-read', members: ['ursula@example.com'] });
    const error = await as('ursula').refused('wf_apply', { enclave: 'open', ...helloWorkflow('x') });
    expect(error).toMatchObject({ code: 'permission_denied', message: expect.stringContaining('not verified') });
  });
});
