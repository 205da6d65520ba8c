import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { defaultPodSecurityVersion } from '../../constructs/k8s/pod-security.ts';
import type { JsonObject } from '../../constructs/model/json.ts';
import { tentacleServiceAccount } from '../../constructs/tentacle/pod.ts';
import { createKube, type Kube } from '../support/kube.ts';

// The harm: a control plane that was talked into it, or taken over, reaches beyond the enclaves that it made.
const admin = createKube(inject('kubectl'), inject('kubeconfig'));
const system = inject('systemNamespace');
const foreign = `foreign-${Date.now().toString(36)}`;
const enclave = `fenced-${Date.now().toString(36)}`;
const folder = mkdtempSync(join(tmpdir(), 'tentacular-admission-'));
let server: Kube;

/** kubectl with the server's own token and nothing else of the administrator's kubeconfig but address and CA. */
async function asServer(): Promise<Kube> {
  const text = await admin.kubectl(['config', 'view', '--raw', '--flatten', '--minify', '-o', 'json']);
  const config = JSON.parse(text) as { users: { name: string; user: JsonObject }[] };
  const token = await admin.kubectl(['create', 'token', 'tentacular-mcp', '-n', system, '--duration', '1h']);
  for (const user of config.users) user.user = { token: token.trim() };
  const path = join(folder, 'kubeconfig');
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return createKube(inject('kubectl'), path);
}

const namespace = (name: string, labels: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});
const podSecurity = 'pod-security.kubernetes.io/enforce';
const enclaveLabels = (name: string) => ({ 'tentacular.io/enclave': name, [podSecurity]: 'restricted' });
const binding = (where: string, role: string, subject = 'tentacular-mcp') => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: `probe-${role}-${subject}`.toLowerCase(), namespace: where },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{ kind: 'ServiceAccount', name: subject, namespace: system }],
});
const configMap = (where: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'probe', namespace: where },
});
const create = (object: object) => server.kubectl(['create', '-f', '-'], JSON.stringify(object));
const label = (name: string, change: string) => server.kubectl(['label', 'namespace', name, change, '--overwrite']);

const controlPlaneBinding = 'tentacular-control-plane';
/** An object of the server, tried out: admission judges it, nothing is stored. */
const attempt = (object: object) => server.kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(object));
const service = (spec: JsonObject, name = 'probe') => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: enclave },
  spec: { ports: [{ port: 80 }], ...spec },
});
const deployment = (serviceAccountName?: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'probe', namespace: enclave },
  spec: {
    selector: { matchLabels: { probe: 'x' } },
    template: {
      metadata: { labels: { probe: 'x' } },
      spec: { containers: [{ name: 'x', image: 'x' }], ...(serviceAccountName ? { serviceAccountName } : {}) },
    },
  },
});
const secret = (type?: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'probe', namespace: enclave, annotations: { 'kubernetes.io/service-account.name': 'default' } },
  ...(type ? { type } : {}),
});

const outsideEnclaves = /may write in enclaves only|may touch enclaves only/;

beforeAll(async () => {
  server = await asServer();
  await admin.apply([namespace(foreign, { team: 'somebody-else' })]);
  await admin.apply([
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'theirs', namespace: foreign },
      stringData: { key: 'value' },
    },
    // As after a mistake of an administrator: rights of an enclave in a namespace that is none.
    { ...binding(foreign, 'tentacular-enclave'), metadata: { name: 'by-mistake', namespace: foreign } },
  ]);
  await create(namespace(enclave, enclaveLabels(enclave)));
  await create(binding(enclave, 'tentacular-enclave'));
});
afterAll(async () => {
  await Promise.all([admin.remove('namespace', foreign), admin.remove('namespace', enclave)]);
  rmSync(folder, { recursive: true, force: true });
});

describe("the server's own token, outside enclaves", () => {
  it('may not make a foreign namespace an enclave by labelling it', async () => {
    await expect(label(foreign, `tentacular.io/enclave=${foreign}`)).rejects.toThrow(outsideEnclaves);
  });

  it.each([
    ['without the label', {}],
    ['with the label of another enclave', enclaveLabels('another')],
  ])('may not create a namespace %s', async (_what, labels) => {
    await expect(create(namespace(`${enclave}-b`, labels))).rejects.toThrow(outsideEnclaves);
  });

  it('may not delete a foreign namespace', async () => {
    await expect(server.kubectl(['delete', 'namespace', foreign])).rejects.toThrow(outsideEnclaves);
    expect(await admin.get('namespace', foreign)).toBeDefined();
  });

  it.each([() => foreign, () => 'kube-system', () => system])(
    'may not bind itself in a foreign namespace',
    async (where) => {
      await expect(create(binding(where(), 'tentacular-enclave'))).rejects.toThrow(outsideEnclaves);
    },
  );

  it('may not write there, even where a binding was made by mistake', async () => {
    await expect(create(configMap(foreign))).rejects.toThrow(outsideEnclaves);
    await expect(server.kubectl(['delete', 'secret', 'theirs', '-n', foreign])).rejects.toThrow(outsideEnclaves);
  });

  it('may not write into a namespace that somebody labelled with the name of another', async () => {
    const odd = `${foreign}-odd`;
    await admin.apply([namespace(odd, { 'tentacular.io/enclave': enclave })]);
    try {
      await expect(create(binding(odd, 'tentacular-enclave'))).rejects.toThrow(outsideEnclaves);
    } finally {
      await admin.remove('namespace', odd);
    }
  });

  it.each(['kube-system', 'default'])('may not read Secrets in %s', async (where) => {
    await expect(server.kubectl(['get', 'secrets', '-n', where])).rejects.toThrow(/cannot list resource "secrets"/);
  });

  it('may not read its own token in its own namespace through the API', async () => {
    const read = server.kubectl(['get', 'secret', 'tentacular-mcp-auth', '-n', system]);
    await expect(read).rejects.toThrow(/cannot get resource "secrets"/);
  });
});

describe("the server's own token, inside an enclave", () => {
  it('may label it', async () => {
    await expect(label(enclave, 'probe=1')).resolves.toContain('labeled');
  });

  it('may not take the label of the enclave from it', async () => {
    await expect(label(enclave, 'tentacular.io/enclave-')).rejects.toThrow('may not take the label');
  });

  // Privileged pods in an enclave of its own would be the way from the server's token to the node.
  it.each(['privileged', 'baseline'])('may not lower its Pod Security to %s', async (level) => {
    await expect(label(enclave, `${podSecurity}=${level}`)).rejects.toThrow('Pod Security restricted');
    await expect(label(enclave, `${podSecurity}-`)).rejects.toThrow('Pod Security restricted');
    const other = namespace(`${enclave}-p`, { ...enclaveLabels(`${enclave}-p`), [podSecurity]: level });
    await expect(create(other)).rejects.toThrow('Pod Security restricted');
    const without = namespace(`${enclave}-p`, { 'tentacular.io/enclave': `${enclave}-p` });
    await expect(create(without)).rejects.toThrow('Pod Security restricted');
  });

  // v1.0 of the same level asks for no seccomp profile.
  it('may not pin its Pod Security to an older version than the chart has', async () => {
    const version = `${podSecurity}-version`;
    await expect(label(enclave, `${version}=v1.0`)).rejects.toThrow('or latest only');
    const other = namespace(`${enclave}-p`, { ...enclaveLabels(`${enclave}-p`), [version]: 'v1.0' });
    await expect(create(other)).rejects.toThrow('or latest only');
    await expect(label(enclave, `${version}=${defaultPodSecurityVersion}`)).resolves.toContain('labeled');
  });

  // Traffic for an address of somebody else, in the whole cluster, would go to a pod in an enclave (CVE-2020-8554).
  it.each<[string, JsonObject]>([
    ['with external addresses', { externalIPs: ['192.0.2.1'] }],
    ['that is a NodePort', { type: 'NodePort' }],
    ['that is a LoadBalancer', { type: 'LoadBalancer' }],
    ['that is the name of something else', { type: 'ExternalName', externalName: 'evil.example.com' }],
  ])('may not make a Service %s', async (_what, spec) => {
    await expect(attempt(service(spec))).rejects.toThrow('type ClusterIP only');
    await expect(attempt(service({ clusterIP: 'None' }))).resolves.toContain('created');
  });

  it('may go on with a Service that an administrator has opened, and not open it further', async () => {
    await create(service({}, 'opened'));
    await admin.kubectl(['patch', 'service', 'opened', '-n', enclave, '-p', '{"spec":{"type":"NodePort"}}']);
    const patch = (change: JsonObject) =>
      server.kubectl(['patch', 'service', 'opened', '-n', enclave, '-p', JSON.stringify(change)]);
    await expect(patch({ metadata: { labels: { probe: '1' } } })).resolves.toContain('patched');
    await expect(patch({ spec: { externalIPs: ['192.0.2.1'] } })).rejects.toThrow('type ClusterIP only');
    await expect(patch({ spec: { type: 'ClusterIP' } })).resolves.toContain('patched');
  });

  // What another ServiceAccount in an enclave may do, in other namespaces too, would be the server's.
  it('may run pods under the ServiceAccount of tentacles only, and make no token of another', async () => {
    await expect(attempt(deployment())).rejects.toThrow('under the ServiceAccount tentacle only');
    await expect(attempt(deployment('ci'))).rejects.toThrow('under the ServiceAccount tentacle only');
    await expect(attempt(deployment(tentacleServiceAccount))).resolves.toContain('created');
    await expect(attempt(secret('kubernetes.io/service-account-token'))).rejects.toThrow('type Opaque only');
    await expect(attempt(secret())).resolves.toContain('created');
  });

  it('may go on with an enclave whose Pod Security an administrator has changed', async () => {
    await admin.kubectl(['label', 'namespace', enclave, `${podSecurity}=baseline`, '--overwrite']);
    await expect(label(enclave, 'probe=2')).resolves.toContain('labeled');
    await expect(label(enclave, `${podSecurity}=privileged`)).rejects.toThrow('Pod Security restricted');
    await expect(label(enclave, `${podSecurity}=restricted`)).resolves.toContain('labeled');
  });

  it('may not put itself into a binding that an administrator made', async () => {
    await admin.apply([{ ...binding(enclave, 'admin', 'somebody'), metadata: { name: 'theirs', namespace: enclave } }]);
    const subjects = binding(enclave, 'admin').subjects;
    const patch = ['patch', 'rolebinding', 'theirs', '-n', enclave, '--type=merge', '-p', JSON.stringify({ subjects })];
    await expect(server.kubectl(patch)).rejects.toThrow(/cannot (get|patch) resource "rolebindings"/);
    const own = patch.map((word) => (word === 'theirs' ? controlPlaneBinding : word));
    await admin.apply([
      { ...binding(enclave, 'admin', 'somebody'), metadata: { name: controlPlaneBinding, namespace: enclave } },
    ]);
    await expect(server.kubectl(own)).rejects.toThrow(/may bind nothing but|attempting to grant RBAC/);
  });

  it.each([
    ['create', 'serviceaccounts/token'],
    ['create', 'pods/exec'],
    ['create', 'pods/attach'],
    ['patch', 'pods/ephemeralcontainers'],
    ['create', 'pods/portforward'],
    ['create', 'pods'],
    ['create', 'roles.rbac.authorization.k8s.io'],
    ['delete', 'rolebindings.rbac.authorization.k8s.io'],
    ['update', 'namespaces/finalize'],
    ['impersonate', 'serviceaccounts'],
    ['delete', 'events'],
  ])('has no right to %s %s', async (verb, resource) => {
    const [type = '', subresource] = resource.split('/');
    const question = [verb, type, ...(subresource ? [`--subresource=${subresource}`] : []), '-n', enclave];
    // kubectl says no on stdout, and by its exit code.
    await expect(server.kubectl(['auth', 'can-i', ...question])).rejects.toMatchObject({ stdout: 'no\n' });
  });

  it('may write and read, Secrets too', async () => {
    await create(configMap(enclave));
    await create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'ours', namespace: enclave } });
    expect(await server.get('secret', 'ours', enclave)).toBeDefined();
    await server.kubectl(['delete', 'secret', 'ours', '-n', enclave]);
  });

  it.each(['cluster-admin', 'admin', 'view'])('may not bind the ClusterRole %s', async (role) => {
    await expect(create(binding(enclave, role))).rejects.toThrow(/may bind nothing but|attempting to grant RBAC/);
  });

  it('may not bind the rights of an enclave to anybody else', async () => {
    await expect(create(binding(enclave, 'tentacular-enclave', 'default'))).rejects.toThrow('may bind nothing but');
  });

  it('may delete it', async () => {
    await expect(server.kubectl(['delete', 'namespace', enclave, '--wait=false'])).resolves.toContain('deleted');
  });
});

describe('everybody else', () => {
  it('is not held by these policies', async () => {
    await expect(admin.kubectl(['label', 'namespace', foreign, 'probe=1'])).resolves.toContain('labeled');
  });
});
