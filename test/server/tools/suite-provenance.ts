import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOnlyAnnotations } from '../../../constructs/model/annotations.ts';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { renderTentacle } from '../../../constructs/render.ts';
import { eventually } from '../../support/eventually.ts';
import { connect, type McpConnection } from '../../support/mcp.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Bench, type Place, useBench } from '../cluster/place.ts';
import { type Harness, startHarness, token } from '../support/harness.ts';
import { type Person, people } from '../support/people.ts';
import { rendererOptions } from '../support/renderer-options.ts';

type Caller = 'olga' | 'mia' | 'max' | 'ci' | 'bearer';
const callers: readonly Caller[] = ['olga', 'mia', 'max', 'ci', 'bearer'];

/** What is set when something is made, and what any call after that does to it: on the fake API server, or a real one. */
export function provenanceSuite(what: string, openPlace: () => Promise<Place>): void {
  describe(`provenance on ${what}`, () => {
    const bench = useBench(openPlace, { provision: false });
    const connections = new Map<Caller, McpConnection>();
    let harness: Harness;
    let enclave = '';

    beforeAll(async () => {
      const tokenOf = (who: Caller) => `token-of-${who}`.padEnd(40, '.');
      const principals = Object.fromEntries(
        callers.filter((who) => who !== 'bearer').map((who) => [tokenOf(who), people[who as Person]]),
      );
      harness = await startHarness({ connection: bench().proxy.connection, principals });
      for (const who of callers) {
        const credential = who === 'bearer' ? token : tokenOf(who);
        connections.set(who, await connect('2026-07-28', harness.endpoint, credential));
      }
      enclave = bench().namespace;
      const members = ['mia@example.com', 'max@example.com', 'client:ci'];
      await as('olga').ok('enclave_provision', { name: enclave, members, mode: 'member-edit' });
    });
    afterAll(async () => {
      for (const connection of connections.values()) await connection.close();
      await harness.close();
    });

    const as = (who: Caller): McpConnection => {
      const connection = connections.get(who);
      if (!connection) throw new Error(`nobody is called ${who}`);
      return connection;
    };
    const deployment = (name: string) =>
      bench().other.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: enclave, name });
    /** The annotations that only creation sets. */
    const made = async (name: string) => {
      const annotations = (await deployment(name))?.metadata.annotations ?? {};
      return createOnlyAnnotations.map((key) => [key, annotations[key]]);
    };
    const source = (name: string, description: string) => ({ enclave, ...helloWorkflow(name, { description }) });
    const manifests = (name: string, description: string, more: { managedByGit?: boolean } = {}) => {
      const rendered = renderTentacle({ ...source(name, description), ...more }, rendererOptions);
      return { enclave, manifests: JSON.parse(JSON.stringify(rendered.manifests)) as JsonObject[] };
    };

    /** Every call that changes something of a tentacle that is there, and is no permissions_set of owner or mode. */
    const changes: readonly (readonly [string, string, (name: string, nonce: string) => JsonObject])[] = [
      ['its source', 'wf_apply', source],
      ['its source, with take', 'wf_apply', (name, nonce) => ({ ...source(name, nonce), on_conflict: 'take' })],
      ['its source, with keep', 'wf_apply', (name, nonce) => ({ ...source(name, nonce), on_conflict: 'keep' })],
      ['a rehearsal', 'wf_apply', (name, nonce) => ({ ...source(name, nonce), dry_run: true })],
      ['manifests', 'wf_apply', manifests],
      ['manifests, with take', 'wf_apply', (name, nonce) => ({ ...manifests(name, nonce), on_conflict: 'take' })],
      ['manifests out of Git', 'wf_apply', (name, nonce) => manifests(name, nonce, { managedByGit: true })],
      ['credentials', 'wf_apply', (name, nonce) => ({ enclave, name, secrets: { api: { key: nonce } } })],
      ['nothing but its name', 'wf_apply', (name) => ({ enclave, name })],
      ['its name, with take', 'wf_apply', (name) => ({ enclave, name, on_conflict: 'take' })],
      ['another image', 'wf_apply', (name) => ({ enclave, name, image: rendererOptions.engineImage })],
      ['a commit', 'wf_apply', (name) => ({ enclave, name, git_sha: 'abcdef1' })],
      ['a restart', 'wf_restart', (name) => ({ enclave, name })],
    ];

    it.each<[Caller, string]>([
      ['mia', 'keycloak'],
      ['ci', 'keycloak'],
      ['bearer', 'bearer-token'],
    ])('what %s made stays so, whoever changes it and in whatever form', async (maker, provider) => {
      const name = `by-${maker}`;
      await as(maker).ok('wf_apply', { ...source(name, 'first'), mode: 'member-edit' });
      const first = await made(name);
      expect(first).toContainEqual(['tentacular.io/auth-provider', provider]);
      let nonce = 0;
      for (const [how, tool, args] of changes) {
        // What nobody owns is closed to members: then only the owner of the enclave and a bearer token change it.
        for (const who of maker === 'bearer' ? (['olga', 'bearer'] as const) : callers) {
          const { error } = await as(who).call(tool, args(name, `change ${++nonce}`));
          expect([how, who, error]).toEqual([how, who, undefined]);
          expect([how, who, await made(name)]).toEqual([how, who, first]);
        }
      }
    });

    it('a mode in the call, in the source or in the manifests changes none that is there', async () => {
      await as('mia').ok('wf_apply', { ...source('moded', 'first'), mode: 'group-read' });
      const first = await made('moded');
      const inSource = { enclave, ...helloWorkflow('moded', { deployment: { mode: 'open-run' } }) };
      const rendered = renderTentacle({ ...inSource, managedByGit: true }, rendererOptions).manifests;
      const forms: readonly JsonObject[] = [
        { ...source('moded', 'x'), mode: 'open-run' },
        inSource,
        { enclave, manifests: JSON.parse(JSON.stringify(rendered)) },
        { enclave, name: 'moded', mode: 'open-run' },
      ];
      for (const form of forms) {
        const error = await as('mia').refused('wf_apply', form);
        expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining('permissions_set') });
      }
      expect(await made('moded')).toEqual(first);
    });

    it('what permissions_set and enclave_sync change is what they name, and they forge no maker', async () => {
      await as('mia').ok('wf_apply', { ...source('handed', 'first') });
      const kept = async () => (await made('handed')).filter(([key]) => /auth-provider|created-at/.test(String(key)));
      const first = await kept();
      await as('olga').ok('permissions_set', { enclave, name: 'handed', owner: people.max.sub, mode: 'member-edit' });
      expect(await made('handed')).toContainEqual(['tentacular.io/owner-sub', people.max.sub]);
      expect(await kept()).toEqual(first);
      await as('ci').ok('wf_apply', source('handed', 'after'));
      expect(await made('handed')).toContainEqual(['tentacular.io/owner-sub', people.max.sub]);
      expect(await made('handed')).toContainEqual(['tentacular.io/mode', 'rwxrwx---']);
      const before = await namespaceOf(bench(), enclave);
      await as('olga').ok('enclave_sync', { name: enclave, new_channel_name: 'x', new_default_mode: 'member-edit' });
      const after = await namespaceOf(bench(), enclave);
      for (const key of ['owner-sub', 'owner-email', 'owner-name', 'created-at', 'mode']) {
        expect([key, after[`tentacular.io/${key}`]]).toEqual([key, before[`tentacular.io/${key}`]]);
      }
    });

    it('an owner whom somebody else holds by other means is not taken, not even with take', async () => {
      await as('mia').ok('wf_apply', { ...source('held', 'first'), mode: 'member-edit' });
      const annotations = { 'tentacular.io/owner-sub': people.max.sub, 'tentacular.io/owner-email': 'max@example.com' };
      await eventually('somebody else holds it, whatever the controllers write meanwhile', async () => {
        const live = await deployment('held');
        if (!live) throw new Error('it is gone');
        const force = { force: true };
        return harness.cluster.writer.applyFields(live, { metadata: { annotations } }, 'argocd', force);
      });
      const first = await made('held');
      for (const on_conflict of ['fail', 'take', 'keep']) {
        await as('mia').ok('wf_apply', { ...source('held', on_conflict), on_conflict });
        expect(await made('held')).toEqual(first);
      }
    });

    // Harm prevented: a member with w took the tentacle away from the enclave's owner, whose it is for as long as the
    // annotation says that it comes out of Git.
    it('a tentacle out of Git stays the enclave owner’s, whatever is applied onto it', async () => {
      await as('bearer').ok('wf_apply', { ...manifests('git', 'first', { managedByGit: true }), mode: 'member-edit' });
      const owned = async () => (await deployment('git'))?.metadata.annotations?.['tentacular.io/managed-by-git'];
      expect(await owned()).toBe('true');
      const forms = [source('git', 'by mia'), manifests('git', 'as manifests'), { enclave, name: 'git' }];
      for (const form of forms) {
        await as('mia').ok('wf_apply', form);
        expect(await owned()).toBe('true');
        expect(await as('max').ok('wf_status', { enclave, name: 'git' })).toMatchObject({ drift: false });
      }
      const preview = await as('mia').ok('wf_diff', source('git', 'planned'));
      const plan = String(preview.plan);
      expect(JSON.stringify(preview.objects)).not.toMatch(/\\n[-+] +tentacular.io.managed-by-git/);
      await as('mia').ok('wf_apply', { ...source('git', 'planned'), plan });
      expect(await as('mia').ok('wf_apply', source('git', 'planned'))).toMatchObject({ status: 'unchanged' });
      expect(await owned()).toBe('true');
    });

    it('making an enclave that is there changes nothing of it, whatever the call says', async () => {
      const before = await namespaceOf(bench(), enclave);
      const forged = { members: ['eve@example.com'], mode: 'open-run', default_mode: 'open-run', channel_name: 'x' };
      await as('olga').ok('enclave_provision', { name: enclave, ...forged });
      await as('bearer').ok('enclave_provision', { name: enclave, owner_email: 'olga@example.com', ...forged });
      for (const who of ['mia', 'max'] as const) {
        expect(await as(who).refused('enclave_provision', { name: enclave, ...forged })).toMatchObject({
          code: 'conflict',
        });
      }
      const owners = [
        { owner_email: 'eve@example.com' },
        { owner_email: 'olga@example.com', owner_sub: 'sub-of-eve' },
        { owner_sub: 'sub-of-eve' },
      ];
      for (const owner of owners) {
        const error = await as('bearer').refused('enclave_provision', { name: enclave, ...owner });
        expect(error.code).toBe('conflict');
      }
      expect(await namespaceOf(bench(), enclave)).toEqual(before);
    });
  });
}

async function namespaceOf({ other }: Bench, name: string): Promise<Readonly<Record<string, string>>> {
  return (await other.get({ apiVersion: 'v1', kind: 'Namespace', name }))?.metadata.annotations ?? {};
}
