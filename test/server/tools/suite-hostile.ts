import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { renderTentacle } from '../../../constructs/render.ts';
import { connect, type McpConnection } from '../../support/mcp.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Bench, type Place, useBench } from '../cluster/place.ts';
import { type Harness, startHarness, token } from '../support/harness.ts';
import { people } from '../support/people.ts';
import { rendererOptions } from '../support/renderer-options.ts';
import { hostileChanges, richWorkflow, strangers } from './hostile-manifests.ts';

/** Hostile manifests through the protocol, and what is in the cluster afterwards: the fake API server, or a real one. */
export function hostileSuite(what: string, openPlace: () => Promise<Place>): void {
  describe(`hostile manifests on ${what}`, () => {
    const bench = useBench(openPlace);
    let harness: Harness;
    let mia: McpConnection;
    let bearer: McpConnection;
    beforeAll(async () => {
      const miaToken = 'token-of-mia'.padEnd(40, '.');
      harness = await startHarness({ connection: bench().proxy.connection, principals: { [miaToken]: people.mia } });
      mia = await connect('2026-07-28', harness.endpoint, miaToken);
      bearer = await connect('2025-11-25', harness.endpoint, token);
      const { cluster, namespace } = bench();
      await cluster.annotateEnclave(namespace, () => ({ 'tentacular.io/enclave-members': 'mia@example.com' }));
    });
    afterAll(async () => {
      await mia.close();
      await bearer.close();
      await harness.close();
    });

    const goodSet = (name: string, source: JsonObject = richWorkflow(name)) => {
      const { namespace } = bench();
      const { workflow, files } = source as ReturnType<typeof richWorkflow>;
      const { manifests } = renderTentacle({ enclave: namespace, name, workflow, files }, rendererOptions);
      return JSON.parse(JSON.stringify(manifests)) as JsonObject[];
    };

    it('none of them is taken, from nobody, and nothing at all is written', async () => {
      const { namespace, proxy } = bench();
      const before = await written(bench());
      const from = proxy.seen.length;
      for (const { what, change, kind, field } of [...hostileChanges, ...strangers(namespace)]) {
        const manifests = goodSet('hostile');
        change(manifests);
        for (const caller of [mia, bearer]) {
          const error = await caller.refused('wf_apply', { enclave: namespace, manifests, on_conflict: 'take' });
          expect([what, error.code]).toEqual([what, 'policy_violation']);
          expect(error.message).toMatch(/^- [A-Z]/m);
          expect(JSON.stringify(error.details)).toContain(JSON.stringify(field));
          expect(JSON.stringify(error.details)).toContain(`"${kind}/`);
        }
      }
      expect(proxy.seen.slice(from).filter(({ isWrite }) => isWrite)).toEqual([]);
      expect(await written(bench())).toEqual(before);
    });

    it.each<[string, unknown]>([
      ['YAML text', ['kind: Deployment\n']],
      ['text', 'kind: Deployment\n'],
      ['a List', [{ apiVersion: 'v1', kind: 'List', items: [] }]],
      ['nothing', []],
      ['too many', Array.from({ length: 101 }, () => ({}))],
      ['numbers', [1]],
      ['a prototype', JSON.parse('[{"__proto__":{"kind":"Deployment"}}]')],
      ['an abyss', [JSON.parse(`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`)]],
      ['a crowd', [{ apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, list: Array(100_001).fill(0) }]],
      ['a name of a megabyte', [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x'.repeat(1_000_000) } }]],
    ])('%s in their place is invalid_input that tells where, and nothing is written', async (_what, manifests) => {
      const { namespace, proxy } = bench();
      const from = proxy.seen.length;
      const { text, error } = await mia.call('wf_apply', { enclave: namespace, manifests } as JsonObject);
      expect(error?.code).toBe('invalid_input');
      expect(text.length).toBeLessThan(20_000);
      expect(proxy.seen.length).toBe(from);
    });

    it('a good set is taken, and the same set with a forged owner changes nothing of it, also with take', async () => {
      const { namespace, other } = bench();
      const manifests = goodSet('owned', helloWorkflow('owned'));
      expect(await mia.ok('wf_apply', { enclave: namespace, manifests })).toMatchObject({ status: 'created' });
      const live = async () => {
        const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'owned' };
        const { annotations = {} } = (await other.get(ref))?.metadata ?? {};
        return Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith('tentacular.io/')));
      };
      const first = await live();
      expect(first).toMatchObject({ 'tentacular.io/owner-sub': people.mia.sub });
      const forged = goodSet('owned', helloWorkflow('owned', { description: 'next' }));
      const metadata = forged.find(({ kind }) => kind === 'Deployment')?.metadata as JsonObject;
      metadata.annotations = { ...(metadata.annotations as JsonObject), 'tentacular.io/owner-sub': 'sub-of-eve' };
      for (const more of [{}, { on_conflict: 'take' }, { on_conflict: 'keep' }, { dry_run: true }]) {
        const error = await bearer.refused('wf_apply', { enclave: namespace, manifests: forged, ...more });
        expect(error.message).toContain('metadata.annotations["tentacular.io/owner-sub"]');
      }
      expect(await live()).toEqual(first);
    });
  });
}

/** Every object in the namespace by kind and name with its version: any write at all shows. */
async function written({ inventory }: Bench): Promise<string[]> {
  return [...(await inventory())].map(([key, { metadata }]) => `${key}@${metadata.resourceVersion}`).sort();
}
