import { describe, expect, it } from 'vitest';
import { Enclave, Tentacle } from '../../../constructs/index.ts';
import { App, Chart } from '../../../constructs/k8s/l1.ts';
import { faultsOf, TentacularError } from '../../../constructs/model/errors.ts';
import type { JsonObject } from '../../../constructs/model/json.ts';
import type { RendererOptions } from '../../../constructs/model/options.ts';
import { readCode, renderEnclave, renderSecret, renderTentacle } from '../../../constructs/render.ts';
import type { RenderedTentacle, TentacleSource } from '../../../constructs/source.ts';
import { baseOptions } from '../../snapshots/cases/case.ts';

const files = { 'nodes/work.ts': 'export default async () => null;\n' };
const minimal = { name: 'job', version: '1.0.0', nodes: { work: { path: 'nodes/work.ts' } } };

function render(
  workflow: JsonObject = {},
  options: Partial<RendererOptions> = {},
  source: Partial<TentacleSource> = {},
): RenderedTentacle {
  return renderTentacle(
    { enclave: 'team', workflow: { ...minimal, ...workflow }, files, ...source },
    { ...baseOptions, ...options },
  );
}

/** Path and message of each fault of a refusal. */
function refusal(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof TentacularError) return faultsOf(error).map(({ path, message }) => `${path} ${message}`);
    throw error;
  }
  throw new Error('was not refused');
}

describe('images', () => {
  it('an engine image outside the allow-list is refused, wherever it was named', () => {
    const message = 'is an engine image that is not allowed here';
    expect(refusal(() => render({ deployment: { image: 'evil/engine:1' } }))).toEqual([`deployment.image ${message}`]);
    expect(refusal(() => render({}, {}, { image: 'evil/engine:1' }))).toEqual([`image ${message}`]);
    expect(refusal(() => render({}, {}, { image: 'x --flag' }))).toEqual(['image is no image reference']);
  });

  it('the engine image of the options itself is always allowed', () => {
    expect(() => render({ deployment: { image: baseOptions.engineImage } }, { allowedEngineImages: [] })).not.toThrow();
  });

  it('a prefix ends in *, and is no pattern otherwise', () => {
    const options = { allowedSidecarImages: ['registry.example.com/safe/*', 'exact:1'] };
    const sidecars = (image: string): JsonObject => ({ sidecars: [{ name: 's', image, port: 9000 }] });
    for (const image of ['registry.example.com/safe/x:2', 'exact:1'])
      expect(() => render(sidecars(image), options)).not.toThrow();
    for (const image of ['registry.example.com/safer', 'exact:12', 'evil/registry.example.com/safe/x']) {
      expect(refusal(() => render(sidecars(image), options))).toEqual([
        'sidecars[0].image is an image that is not allowed here',
      ]);
    }
    expect(refusal(() => render(sidecars('x'), { allowedSidecarImages: [] }))).toHaveLength(1);
  });
});

describe('a source and the options of a cluster', () => {
  it('an exoskeleton service that the cluster does not offer is refused', () => {
    const contract = { dependencies: { 'tentacular-postgres': null, 'tentacular-nats': null } };
    const exoskeleton = { nats: { host: 'nats.support.svc', port: 4222 } };
    expect(refusal(() => render({ contract }, { exoskeleton }))).toEqual([
      'contract.dependencies.tentacular-postgres names a service that this cluster does not offer',
    ]);
  });

  it('names, commits and repositories of the caller are checked with the rest', () => {
    const source = {
      enclave: 'kube-system',
      name: 'Job',
      gitSha: 'main',
      gitUrl: 'https://user:secret@git.example.com/x.git',
    };
    const faults = refusal(() => render({ version: 1 }, {}, source));
    expect(faults).toEqual([
      'version is not what is allowed here',
      'enclave is no name for an enclave',
      'name is no name for a tentacle',
      'git_sha is no commit',
      'git_url holds credentials',
    ]);
    expect(JSON.stringify(faults)).not.toContain('secret@');
  });

  it('what is valid but deserves a look is a warning', () => {
    const { warnings } = render(
      {
        deployment: { enclave: 'elsewhere' },
        triggers: [{ type: 'cron', schedule: '0 0 31 2 *' }],
        contract: {
          dependencies: {
            short: { protocol: 'http', host: 'echo.apps', port: 80 },
            told: { protocol: 'http', host: 'echo.apps.svc', port: 80, targetPort: 9000 },
            high: { protocol: 'http', host: 'echo.apps.svc', port: 8080 },
            any: { type: 'dynamic-target', cidr: '0.0.0.0/0', dynPorts: ['443/TCP'], reason: 'a crawler' },
            six: { type: 'dynamic-target', cidr: '2001:db8::/32', dynPorts: ['443/TCP'], reason: 'a crawler' },
          },
        },
      },
      { moduleProxy: { kind: 'registry', url: 'http://p:4873', namespace: 'n', podLabels: {}, port: 4873 } },
      { files: { 'nodes/work.ts': "import 'npm:zod@3.25.76';\n" } },
    );
    expect(warnings).toEqual([
      'Node work: nodes/work.ts has no default export, so the engine will not start.',
      'Dependency short: the network policy opens port 80 of the pods; where the Service sends it to another one, write that as targetPort.',
      'Dependency short: echo.apps is read as Service echo in namespace apps; write echo.apps.svc to leave no doubt.',
      'Dependency any opens 0.0.0.0/0, whichever host answers there: a crawler',
      'Dependency six opens 2001:db8::/32, whichever host answers there: a crawler',
      'Dependency six: Deno knows no ranges of IPv6, so only sidecars reach 2001:db8::/32; nodes need single addresses (/128).',
      'The schedule 0 0 31 2 * is valid and never due.',
      'Third-party imports without a deno.lock: the bytes that run are not pinned.',
      'deployment.enclave says elsewhere; this is rendered for team.',
    ]);
    expect(render().warnings).toEqual([]);
  });

  it('the services whose secrets a contract expects are listed once, sorted', () => {
    const api = (secret: string): JsonObject => ({
      protocol: 'https',
      host: 'a.example.com',
      port: 443,
      auth: { type: 'bearer', secret },
    });
    const contract = { dependencies: { a: api('zeta.x'), b: api('alpha.y'), c: api('zeta.z') } };
    expect(render({ contract }).secretServices).toEqual(['alpha', 'zeta']);
  });
});

describe('hashes', () => {
  it('another byte of code is another ConfigMap, spec and source', () => {
    const [a, b] = [render(), render({}, {}, { files: { 'nodes/work.ts': 'export default async () => 1;\n' } })];
    expect(a.manifests[0]?.metadata.name).not.toBe(b.manifests[0]?.metadata.name);
    expect([a.specHash, a.sourceHash]).not.toContain(b.specHash);
    expect(a.sourceHash).not.toBe(b.sourceHash);
  });

  it('another cluster is another spec of the same source', () => {
    const [a, b] = [render(), render({}, { runtimeClassName: 'gvisor' })];
    expect(a.specHash).not.toBe(b.specHash);
    expect(a.sourceHash).toBe(b.sourceHash);
    expect(a.manifests[0]).toEqual(b.manifests[0]);
  });
});

describe('secrets', () => {
  it('one key a service, its value a JSON object, under the labels of the tentacle', () => {
    const secret = renderSecret('team', 'job', '1.0.0+b', {
      github: { token: 'ünï' },
      partner: { user: 'x', password: 'y' },
    });
    expect(secret.metadata).toMatchObject({
      name: 'job-secrets',
      namespace: 'team',
      labels: { 'app.kubernetes.io/version': '1.0.0_b' },
    });
    const values = Object.entries(secret.data ?? {}).map(([key, value]) => [
      key,
      JSON.parse(Buffer.from(String(value), 'base64').toString()),
    ]);
    expect(values).toEqual([
      ['github', { token: 'ünï' }],
      ['partner', { password: 'y', user: 'x' }],
    ]);
  });

  it('a service that is no file name, or too much of it, is refused without its value', () => {
    const canary = 'canary-value';
    for (const name of ['../x', 'a/b', 'a.b', '', 'constructor']) {
      expect(refusal(() => renderSecret('team', 'job', '1.0.0', { [name]: { token: canary } })).join()).not.toContain(
        canary,
      );
    }
    expect(refusal(() => renderSecret('team', 'job', '1.0.0', { a: { token: 'x'.repeat(1_100_000) } }))).toEqual([
      'secrets are too large',
    ]);
  });
});

describe('reading code back', () => {
  it('an object that is no code of a tentacle is refused', () => {
    const [code, policy] = render().manifests;
    if (!code || !policy) throw new Error('nothing rendered');
    expect(refusal(() => readCode(policy))).toEqual(['data holds no workflow.yaml of a tentacle']);
    expect(refusal(() => readCode({ ...code, metadata: { ...code.metadata, labels: {} } }))).toHaveLength(1);
  });

  it('the import map is rendered anew, not read back', () => {
    const options = {
      moduleProxy: { kind: 'registry', url: 'http://p:4873', namespace: 'n', podLabels: {}, port: 4873 },
    } as const;
    const [code] = render({}, options, {
      files: { 'nodes/work.ts': "import 'jsr:@std/path@1.1.2';\nexport default 1;\n" },
    }).manifests;
    if (!code) throw new Error('nothing rendered');
    expect(Object.keys(code.data ?? {})).toContain('import_.map.json');
    expect(Object.keys(readCode(code).files)).toEqual(['nodes/work.ts']);
  });
});

describe('an enclave', () => {
  it('tells every fault at once', () => {
    const source = {
      name: 'tentacular-x',
      ownerEmail: 'nobody',
      ownerName: 'a\u202eb',
      members: ['x', 'client:', 'ok@example.com', 'a@b, c@d'],
      mode: 'rwx',
      defaultMode: '',
      quotaPreset: 'constructor',
    };
    expect(refusal(() => renderEnclave(source, baseOptions)).map((fault) => fault.split(' ', 1)[0])).toEqual([
      'name',
      'quota_preset',
      'owner_email',
      'owner_name',
      'members[0]',
      'members[1]',
      'members[3]',
      'mode',
      'default_mode',
    ]);
  });
});

describe('the constructs in a chart of somebody else', () => {
  it('render the same objects, the hash included', () => {
    const chart = new Chart(new App(), 'theirs', { labels: {} });
    new Enclave(chart, 'team', { name: 'team', options: baseOptions });
    new Tentacle(chart, 'job', { enclave: 'team', workflow: minimal, files, options: baseOptions });
    const json: unknown = JSON.parse(JSON.stringify(chart.toJson()));
    const expected = [...renderEnclave({ name: 'team' }, baseOptions).manifests, ...render().manifests];
    expect(json).toHaveLength(expected.length);
    expect(json).toEqual(expect.arrayContaining(JSON.parse(JSON.stringify(expected)) as unknown[]));
  });
});
