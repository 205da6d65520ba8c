import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ensureCertificates, leavesOf } from '../../local/cluster/certificates.ts';
import { layoutOf } from '../../local/cluster/layout.ts';
import { settingsFrom } from '../../local/cluster/settings.ts';
import { status, up } from '../../local/cluster.ts';
import { goBinary } from '../../local/images/files.ts';
import { writeImage } from '../../local/images/oci.ts';
import { eventually } from '../support/eventually.ts';
import { createKube } from '../support/kube.ts';
import { projectRoot } from '../support/source-files.ts';

const run = promisify(execFile);
const namespace = `local-${randomBytes(3).toString('hex')}`;

describe.skipIf(inject('outside') === undefined)('the local cluster', () => {
  const kube = createKube(inject('kubectl'), inject('kubeconfig'));
  const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const pod = (name: string, change: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'main',
          image: inject('echoImage'),
          readinessProbe: { tcpSocket: { port: 9000 }, periodSeconds: 1 },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          ...change,
        },
      ],
    },
  });
  const ready = (name: string) =>
    kube.kubectl(['wait', '-n', namespace, `pod/${name}`, '--for=condition=Ready', '--timeout=60s']);

  beforeAll(async () => {
    await kube.makeNamespace(namespace, restricted);
    await kube.apply([pod('echo')]);
    await ready('echo');
  });
  afterAll(() => kube.remove('namespace', namespace));

  test('up on a running cluster starts nothing anew', async () => {
    const before = await status();
    const cluster = await up();
    expect(before.state).toBe('running');
    expect((await status()).programs).toEqual(before.programs);
    expect(cluster.kubeconfig).toBe(inject('kubeconfig'));
  });

  test('its kubeconfig is its own: for root alone, with one context, and not where kubectl looks by itself', () => {
    const path = inject('kubeconfig');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(path.startsWith(join(homedir(), '.kube'))).toBe(false);
    const config: { contexts: unknown[] } = JSON.parse(readFileSync(path, 'utf8'));
    expect(config.contexts).toHaveLength(1);
  });

  test('its programs survive the process that started them, and are children of nobody here', async () => {
    for (const { pid } of (await status()).programs) {
      const text = readFileSync(`/proc/${pid}/status`, 'utf8');
      expect(/^PPid:\s+(\d+)$/m.exec(text)?.[1]).not.toBe(String(process.pid));
      expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3]).toBe(String(pid));
    }
  });

  test('logs, exec and port-forward work', async () => {
    await kube.apply([
      pod('talker', {
        image: inject('engineImage'),
        command: ['deno', 'eval', 'console.log("said at start"); setInterval(() => {}, 1000)'],
        env: [{ name: 'DENO_DIR', value: '/tmp' }],
        readinessProbe: { exec: { command: ['deno', '--version'] }, periodSeconds: 1, timeoutSeconds: 5 },
      }),
    ]);
    await ready('talker');
    // It is ready as soon as it can run a program: what it says may come a moment later.
    const logs = await eventually('it has said something', () => kube.kubectl(['logs', 'talker', '-n', namespace]), {
      done: (text) => text !== '',
    });
    expect(logs).toBe('said at start\n');
    expect(await kube.kubectl(['exec', 'talker', '-n', namespace, '--', 'deno', '--version'])).toMatch(/^deno \d/);
    const args = ['--kubeconfig', inject('kubeconfig'), 'port-forward', '-n', namespace, 'pod/echo', ':9000'];
    const forward = spawn(inject('kubectl'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [line]: unknown[] = await once(forward.stdout, 'data');
      const port = Number(/127\.0\.0\.1:(\d+)/.exec(String(line))?.[1]);
      const socket = connect(port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nHost: echo\r\nConnection: close\r\n\r\n');
      const [answer]: unknown[] = await once(socket, 'data');
      expect(String(answer)).toMatch(/^HTTP\/1\.1 \d{3} /);
      socket.destroy();
    } finally {
      forward.kill();
    }
  });

  test('Pod Security restricted is enforced', async () => {
    const privileged = pod('privileged', { securityContext: { privileged: true } });
    await expect(kube.apply([privileged])).rejects.toThrow(/violates PodSecurity "restricted/);
  });

  test('a ValidatingAdmissionPolicy denies', async () => {
    const name = `${namespace}-no-forbidden`;
    const match = {
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    };
    const api = 'admissionregistration.k8s.io/v1';
    const validations = [{ expression: "object.metadata.name != 'forbidden'", message: 'that name is forbidden' }];
    const spec = { matchConstraints: match, validations };
    const binding = { policyName: name, validationActions: ['Deny'] };
    try {
      await kube.apply([
        { apiVersion: api, kind: 'ValidatingAdmissionPolicy', metadata: { name }, spec },
        { apiVersion: api, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name }, spec: binding },
      ]);
      const create = (config: string) =>
        kube.kubectl(['create', 'configmap', config, '-n', namespace, '--dry-run=server']);
      await eventually(
        'the policy is in force',
        () =>
          create('forbidden').then(
            () => 'created',
            (error: unknown) => String(error),
          ),
        { done: (text) => text.includes('that name is forbidden') },
      );
      expect(await create('allowed')).toContain('configmap/allowed created');
    } finally {
      await kube.remove('validatingadmissionpolicybinding', name);
      await kube.remove('validatingadmissionpolicy', name);
    }
  });

  test('an image that is imported can be run by its name, and is imported once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tentacular-import-'));
    const ref = `localhost/${namespace}:1`;
    const archive = join(folder, 'image.tar');
    try {
      const cluster = await up();
      const pause = await goBinary(join(projectRoot, 'local/pause'), cluster.cacheDir);
      const files = [{ path: 'pause', mode: 0o755, sourceFile: pause }];
      const { digest } = await writeImage({ ref, layers: [{ files }], config: { entrypoint: ['/pause'] } }, archive);
      await cluster.importImage(archive);
      await cluster.importImage(archive);
      const ctr = ['-a', cluster.containerdSocket, '-n', 'k8s.io', 'images'];
      const listed = (await run(cluster.ctr, [...ctr, 'ls', `name==${ref}`])).stdout;
      expect(listed).toContain(digest);
      await kube.apply([pod('imported', { image: ref, imagePullPolicy: 'Never', readinessProbe: undefined })]);
      await ready('imported');
      await kube.remove('pod', 'imported', namespace);
      await run(cluster.ctr, [...ctr, 'rm', ref]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('certificates are made once, and again for other names or another authority', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'tentacular-pki-'));
    const layout = layoutOf(stateDir);
    const settings = settingsFrom({ stateDir }, {});
    const read = (name: string) => readFileSync(join(layout.pki, `${name}.crt`), 'utf8');
    const all = () => leavesOf(settings).map((leaf) => read(leaf.name));
    try {
      await ensureCertificates(settings, layout);
      const first = all();
      await ensureCertificates(settings, layout);
      expect(all()).toEqual(first);
      for (const { name } of leavesOf(settings)) {
        const { stdout } = await run('openssl', [
          'verify',
          '-CAfile',
          join(layout.pki, 'ca.crt'),
          join(layout.pki, `${name}.crt`),
        ]);
        expect(stdout).toContain('OK');
      }
      await ensureCertificates(settingsFrom({ stateDir, nodeCidr: '172.30.9.0/24' }, {}), layout);
      const changed = all().map((certificate, index) => certificate !== first[index]);
      const names = leavesOf(settings).filter((_leaf, index) => changed[index]);
      expect(names.map((leaf) => leaf.name)).toEqual(['apiserver', 'kubelet-server']);
      rmSync(join(layout.pki, 'ca.key'));
      await ensureCertificates(settings, layout);
      expect(all().some((certificate) => first.includes(certificate))).toBe(false);
    } finally {
      rmSync(stateDir, { recursive: true, force: true });
    }
  });
});
