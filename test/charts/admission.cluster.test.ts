import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { JsonObject } from '../../constructs/model/json.ts';
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
    await expect(server.kubectl(patch)).rejects.toThrow(/may bind nothing but|attempting to grant RBAC/);
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
