import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { isDeepStrictEqual, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { settingsFrom } from '../../local/cluster/settings.ts';
import { guardRules } from '../../local/network/guard.ts';
import { eventually } from '../support/eventually.ts';
import { createKube, type Kube } from '../support/kube.ts';
import { probeFromPod, type Reachability } from '../support/probe-pod.ts';

const run = promisify(execFile);
const outside = inject('outside');
const id = randomBytes(3).toString('hex');
const namespace = `local-net-${id}`;
const neighbour = `local-net-${id}-b`;

/** Dials from this machine, or from one of its network namespaces. */
async function dial(urls: readonly string[], netns?: string): Promise<Reachability> {
  const script = `
    const { connect } = require('node:net');
    const found = {};
    Promise.all(JSON.parse(process.argv[1]).map((url) => new Promise((resolve) => {
      const { hostname, port } = new URL(url.replace('tcp:', 'http:'));
      const socket = connect({ host: hostname, port: Number(port || 80), timeout: 3000 });
      const end = (text) => { found[url] = text; socket.destroy(); resolve(); };
      socket.on('connect', () => end('open'));
      socket.on('timeout', () => end('closed: no answer'));
      socket.on('error', (error) => end('closed: ' + error.message));
    }))).then(() => console.log(JSON.stringify(found)));`;
  const node = [process.execPath, '-e', script, JSON.stringify(urls)];
  const [command = '', ...args] = netns === undefined ? node : ['ip', 'netns', 'exec', netns, ...node];
  const { stdout } = await run(command, args);
  return JSON.parse(stdout) as Reachability;
}

const isOpen = (found: Reachability) =>
  Object.fromEntries(Object.entries(found).map(([url, text]) => [url, text === 'open']));

function echo(name: string, where: string) {
  const labels = { app: name };
  const securityContext = { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: 'RuntimeDefault' } };
  const container = {
    name: 'echo',
    image: inject('echoImage'),
    ports: [{ containerPort: 9000 }],
    readinessProbe: { tcpSocket: { port: 9000 }, periodSeconds: 1 },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
  return [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: where, labels },
      spec: { securityContext, containers: [container], terminationGracePeriodSeconds: 0 },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: where },
      spec: { type: 'NodePort', selector: labels, ports: [{ port: 80, targetPort: 9000 }] },
    },
  ];
}

function policy(name: string, spec: object) {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec };
}

/**
 * A second machine, as far as this one can tell: another network behind another interface. Nothing in it is of the
 * cluster. Of its own addresses (198.18.0.0/15 is for tests), for that of a run that was killed may still be there.
 */
const lanNumber = 4 * randomInt(1 << 14);
const lanAddress = (host: number) => `198.18.${lanNumber >> 8}.${(lanNumber & 0xff) + host}`;
const lan = { netns: `tentacular-lan-${id}`, link: `tlan${id}`, near: lanAddress(1), far: lanAddress(2) };

describe.skipIf(outside === undefined)('the network of the local cluster', () => {
  const kube: Kube = createKube(inject('kubectl'), inject('kubeconfig'));
  const listeners: ChildProcess[] = [];
  let farUrl: string;
  let nearUrl: string;
  let extUrl: string;
  let podUrl: string;
  let neighbourUrl: string;
  let nodePort: number;

  /** The URL of a listener that ends with this process, however that ends. */
  const listen = async (prefix: readonly string[], host: string): Promise<string> => {
    const script = `
      const server = require('node:net').createServer((socket) => socket.end());
      server.listen(0, '${host}', () => console.log(server.address().port));
      process.stdin.resume().on('end', () => process.exit());`;
    const [command = '', ...args] = [...prefix, process.execPath, '-e', script];
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    listeners.push(child);
    const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the listener ended with ${code}`)));
    const [port] = await Promise.race([once(child.stdout, 'data'), ended]);
    ended.catch(() => undefined);
    return `tcp://${host}:${String(port).trim()}`;
  };
  const probe = (name: string, urls: readonly string[], where = namespace) =>
    probeFromPod(kube, { namespace: where, name, image: inject('engineImage'), labels: { app: 'client' }, urls }).then(
      isOpen,
    );
  /** Policies are in force a moment after they were written: asked until it is as it should be. */
  const settles = (name: string, wanted: Readonly<Record<string, boolean>>, where?: string) =>
    eventually(`${name}: ${JSON.stringify(wanted)}`, () => probe(name, Object.keys(wanted), where), {
      timeoutMs: 90_000,
      done: (found) => isDeepStrictEqual(found, wanted),
    });
  const address = async (name: string, where: string) =>
    eventually(`${name} is ready`, async () => {
      const pod = await kube.kubectl([
        'get',
        'pod',
        name,
        '-n',
        where,
        '-o',
        'jsonpath={.status.podIP} {.status.conditions[?(@.type=="Ready")].status}',
      ]);
      const [ip, ready] = pod.split(' ');
      return ready === 'True' ? `tcp://${ip}:9000` : undefined;
    });

  /** A service leads to its pod a moment after that is ready: kube-proxy writes its rules at most once a second. */
  const serviceLeads = async (where: string) => {
    const ip = await kube.kubectl(['get', 'service', 'echo', '-n', where, '-o', 'jsonpath={.spec.clusterIP}']);
    const url = `tcp://${ip.trim()}:80`;
    await eventually(`the service in ${where} leads to its pod`, async () => (await dial([url]))[url] === 'open');
  };

  beforeAll(async () => {
    for (const name of [namespace, neighbour]) await kube.makeNamespace(name);
    await kube.apply([...echo('echo', namespace), ...echo('echo', neighbour)]);
    await run('ip', ['netns', 'add', lan.netns]);
    await run('ip', ['link', 'add', lan.link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', lan.netns]);
    await run('ip', ['addr', 'add', `${lan.near}/30`, 'dev', lan.link]);
    await run('ip', ['link', 'set', lan.link, 'up']);
    await run('ip', ['-n', lan.netns, 'addr', 'add', `${lan.far}/30`, 'dev', 'eth0']);
    await run('ip', ['-n', lan.netns, 'link', 'set', 'eth0', 'up']);
    await run('ip', ['-n', lan.netns, 'route', 'add', 'default', 'via', lan.near]);
    farUrl = await listen(['ip', 'netns', 'exec', lan.netns], lan.far);
    extUrl = await listen(['ip', 'netns', 'exec', outside?.netns ?? ''], outside?.ip ?? '');
    nearUrl = await listen([], lan.near);
    podUrl = (await address('echo', namespace)) ?? '';
    neighbourUrl = (await address('echo', neighbour)) ?? '';
    for (const where of [namespace, neighbour]) await serviceLeads(where);
    nodePort = Number(
      await kube.kubectl(['get', 'service', 'echo', '-n', namespace, '-o', 'jsonpath={.spec.ports[0].nodePort}']),
    );
  });

  afterAll(async () => {
    for (const listener of listeners) listener.kill('SIGKILL');
    const gone = await Promise.allSettled([
      run('ip', ['netns', 'delete', lan.netns]),
      ...[namespace, neighbour].map((name) => kube.remove('namespace', name)),
    ]);
    expect(gone.filter(({ status }) => status === 'rejected')).toEqual([]);
  });

  test('without a policy a pod reaches pods, services, names and the host outside the cluster', async () => {
    const serviceUrl = 'tcp://echo:80';
    const foreignUrl = `tcp://echo.${neighbour}.svc.cluster.local:80`;
    expect(await probe('open', [podUrl, neighbourUrl, serviceUrl, foreignUrl, extUrl])).toEqual({
      [podUrl]: true,
      [neighbourUrl]: true,
      [serviceUrl]: true,
      [foreignUrl]: true,
      [extUrl]: true,
    });
  });

  test.each([false, true])('nftables takes the rules of the guard (outside: %s)', async (outside) => {
    const child = run('nft', ['--check', '-f', '-']);
    child.child.stdin?.end(guardRules(settingsFrom({ outside }, {})));
    await expect(child).resolves.toMatchObject({ stderr: '' });
  });

  test('nothing that a pod sends leaves the machine', async () => {
    // This machine reaches it, and has the route: it is the guard that a pod's packets meet.
    expect(isOpen(await dial([farUrl]))).toEqual({ [farUrl]: true });
    expect(await probe('leaving', [farUrl, podUrl])).toEqual({ [farUrl]: false, [podUrl]: true });
  });

  test('a name from outside does not exist', async () => {
    const found = await probeFromPod(kube, {
      namespace,
      name: 'names',
      image: inject('engineImage'),
      urls: ['http://example.com'],
    });
    expect(found['http://example.com']).toMatch(/^closed: failed to lookup address information/);
  });

  test('other machines reach neither API server, kubelet, NodePort, pod nor service', async () => {
    const closed = [
      `tcp://${lan.near}:6443`,
      `tcp://${lan.near}:10250`,
      `tcp://${lan.near}:${nodePort}`,
      `tcp://${outside?.nodeIp}:6443`,
      `tcp://${outside?.nodeIp}:${nodePort}`,
      podUrl,
      'tcp://10.96.0.1:443',
    ];
    expect(isOpen(await dial([nearUrl, ...closed], lan.netns))).toEqual({
      [nearUrl]: true,
      ...Object.fromEntries(closed.map((url) => [url, false])),
    });
  });

  test('a NodePort answers on loopback and on the address of the node', async () => {
    const urls = [`tcp://127.0.0.1:${nodePort}`, `tcp://${outside?.nodeIp}:${nodePort}`];
    expect(isOpen(await dial(urls))).toEqual({ [urls[0] ?? '']: true, [urls[1] ?? '']: true });
  });

  test('default deny closes every way out and in; each rule opens exactly its own', async () => {
    const apiUrl = `tcp://${outside?.nodeIp}:6443`;
    const all = [podUrl, neighbourUrl, extUrl, apiUrl, 'tcp://echo:80'];
    const none = Object.fromEntries(all.map((url) => [url, false]));
    await kube.apply([policy('default-deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] })]);
    await settles('denied', none);
    expect(isOpen(await dial([podUrl], outside?.netns))).toEqual({ [podUrl]: false });
    await settles('denied-in', { [podUrl]: false }, neighbour);

    const client = { matchLabels: { app: 'client' } };
    const to = (peer: object, port: number, protocol = 'TCP') => ({ to: [peer], ports: [{ port, protocol }] });
    const kubeDns = {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    };
    await kube.apply([
      policy('client-out', {
        podSelector: client,
        policyTypes: ['Egress'],
        egress: [
          to({ podSelector: { matchLabels: { app: 'echo' } } }, 9000),
          to({ ipBlock: { cidr: `${outside?.nodeIp}/32` } }, 6443),
          to(kubeDns, 53, 'UDP'),
        ],
      }),
      policy('echo-in', {
        podSelector: { matchLabels: { app: 'echo' } },
        policyTypes: ['Ingress'],
        ingress: [{ from: [{ podSelector: client }], ports: [{ port: 9000, protocol: 'TCP' }] }],
      }),
    ]);
    await settles('allowed', { ...none, [podUrl]: true, [apiUrl]: true, 'tcp://echo:80': true });
    await kube.apply([
      policy('client-except', {
        podSelector: client,
        policyTypes: ['Egress'],
        egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: [`${outside?.ip}/32`] } }] }],
      }),
    ]);
    await settles('excepted', { [extUrl]: false, [neighbourUrl]: true });
  }, 300_000);
});
