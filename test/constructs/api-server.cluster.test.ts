import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { renderEnclave, renderTentacle } from '../../constructs/render.ts';
import { baseOptions, type GoldenCase } from '../snapshots/cases/case.ts';
import { goldenCases } from '../snapshots/cases/index.ts';
import { enclaveSources, rendererOptions, renderings } from './arbitraries.ts';
import { ApiServer, type Verdict } from './strict-dry-run.ts';

const accepted: Pick<Verdict, 'message' | 'warnings'> = { message: '', warnings: [] };

describe('what is rendered, before the real API server', () => {
  const api = new ApiServer(inject('kubeconfig'));
  const enclave = `render-${randomBytes(4).toString('hex')}`;

  beforeAll(async () => {
    // The enclave as it is rendered, so that Pod Security restricted is enforced; without the quota, which a generated
    // pod may well exceed, and the RoleBinding, whose role can never be changed afterwards.
    for (const manifest of renderEnclave({ name: enclave }, baseOptions).manifests) {
      if (['ResourceQuota', 'RoleBinding'].includes(manifest.kind)) continue;
      expect(await api.applyForReal(manifest)).toMatchObject(accepted);
    }
  });
  afterAll(async () => {
    await api.deleteNamespace(enclave);
    await api.close();
  });

  async function expectAccepted(manifests: readonly Manifest[]): Promise<void> {
    for (const manifest of manifests) {
      const verdict = await api.apply(manifest);
      expect(verdict, `${manifest.kind} ${manifest.metadata.name}`).toMatchObject(accepted);
      // Stored as it was rendered, value by value: else every comparison with the cluster would find a drift.
      expect(verdict.stored).toMatchObject(JSON.parse(JSON.stringify(manifest)) as JsonObject);
      if (manifest.kind === 'Deployment')
        expect(await api.createPod(enclave, templateOf(manifest))).toMatchObject(accepted);
    }
  }

  it('any tentacle is accepted with strict field validation and stored as rendered, its pod by Pod Security restricted', async () => {
    await fc.assert(
      fc.asyncProperty(renderings, async ({ source, options }) => {
        await expectAccepted(renderTentacle({ ...source, enclave }, options).manifests);
      }),
      { numRuns: 60 },
    );
  });

  it('any enclave is accepted with strict field validation and stored as rendered', async () => {
    await fc.assert(
      fc.asyncProperty(enclaveSources, rendererOptions, async (source, options) => {
        await expectAccepted(renderEnclave({ ...source, name: enclave }, options).manifests);
      }),
      { numRuns: 25 },
    );
  });

  it.each(goldenCases.map((golden) => [golden.name, golden] as const))(
    'the golden %s is accepted',
    async (_name, golden) => {
      await expectAccepted(inThisEnclave(golden));
    },
  );

  function inThisEnclave({ tentacle, enclave: team, options }: GoldenCase): readonly Manifest[] {
    return tentacle
      ? renderTentacle({ ...tentacle, enclave }, options).manifests
      : renderEnclave({ ...team, name: enclave }, options).manifests;
  }

  // What the checks above are worth: the same server refuses what they claim that it would.
  it('an unknown field is refused, and so is a pod that Pod Security forbids', async () => {
    const [golden] = goldenCases;
    const deployment = golden && inThisEnclave(golden).find(({ kind }) => kind === 'Deployment');
    if (!deployment) throw new Error('no Deployment rendered');
    const misspelt: Manifest = { ...deployment, spec: { ...deployment.spec, replica: 1 } };
    expect(await api.apply(misspelt)).toMatchObject({ status: 500, message: expect.stringContaining('.spec.replica') });
    const { spec, ...template } = templateOf(deployment);
    const forbidden = { ...template, spec: { ...(isJsonObject(spec) ? spec : {}), hostNetwork: true } };
    expect(await api.createPod(enclave, forbidden)).toMatchObject({
      status: 403,
      message: expect.stringContaining('PodSecurity'),
    });
  });
});

/** The pod's template, without a runtime class that this cluster does not have. */
function templateOf(deployment: Manifest): JsonObject {
  const { template } = deployment.spec ?? {};
  if (!isJsonObject(template) || !isJsonObject(template.spec)) throw new Error('no template');
  const { runtimeClassName: _absent, ...spec } = template.spec;
  return { ...template, spec };
}
