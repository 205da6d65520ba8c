import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import { bed, temporaryEnclave, uniqueName } from '../support/e2e.ts';
import { eventually } from '../support/eventually.ts';
import type { McpConnection } from '../support/mcp.ts';
import { probeFromPod } from '../support/probe-pod.ts';
import { helloWorkflow, oneNodeWorkflow } from '../support/workflows.ts';

const outsidePort = 18080;

/** Tries the URL in `input.url` and tells how that ended, in words. */
const dial = `
  try {
    const response = await fetch(input.url, { signal: AbortSignal.timeout(4000) });
    return { outcome: 'open ' + response.status, body: (await response.text()).slice(0, 500) };
  } catch (error) { return { outcome: error.name + ': ' + error.message }; }`;

describe('what a tentacle can reach', () => {
  const { kube, connect } = bed();
  const outside = inject('outside');
  const image = inject('engineImage');
  let mcp: McpConnection;
  let a: string;
  let b: string;
  let services: string;
  let removals: (() => Promise<void>)[] = [];
  let listener: ChildProcess | undefined;

  beforeAll(async () => {
    mcp = await connect();
    const [first, second] = [await temporaryEnclave(mcp, 'net-a'), await temporaryEnclave(mcp, 'net-b')];
    a = first.enclave;
    b = second.enclave;
    removals = [first.remove, second.remove];
    services = uniqueName('services');
    await kube.apply(echoService(services, inject('echoImage')));
    if (outside) listener = await listenOutside(outside.netns);
    await kube.kubectl(['rollout', 'status', 'deployment/echo', '-n', services, '--timeout=90s']);
    const wait = { wait: true, timeout_seconds: 90 };
    await mcp.ok('wf_apply', { enclave: b, ...helloWorkflow('victim'), ...wait });
    const dependencies: JsonObject = {
      echo: { protocol: 'http', host: `echo.${services}.svc.cluster.local`, port: 80, targetPort: 9000 },
    };
    if (outside)
      dependencies.partner = { protocol: 'http', host: outside.ip, port: outsidePort, cidr: `${outside.ip}/32` };
    const contract = { contract: { version: '1', dependencies } };
    await mcp.ok('wf_apply', { enclave: a, ...oneNodeWorkflow('named', dial, contract), ...wait });
    await mcp.ok('wf_apply', { enclave: a, ...oneNodeWorkflow('closed', dial), ...wait });
  });
  afterAll(async () => {
    listener?.kill();
    for (const remove of removals) await remove();
    await kube.remove('namespace', services);
    await mcp.close();
  });

  async function outcome(name: string, url: string): Promise<string> {
    const run = await mcp.ok('wf_run', { enclave: a, name, input: { url } });
    return JSON.stringify(run.output);
  }

  it('a host that the contract names answers, in the cluster and outside', async () => {
    expect(await outcome('named', `http://echo.${services}.svc.cluster.local/x`)).toContain('open 200');
    if (outside) expect(await outcome('named', `http://${outside.ip}:${outsidePort}/`)).toContain('open 200');
  });

  it('the network alone: a pod of an enclave reaches nobody, not even with a name', async () => {
    const found = await probeFromPod(kube, {
      namespace: a,
      name: 'probe-plain',
      image,
      urls: [
        `http://echo.${services}.svc.cluster.local:80`,
        `tcp://victim.${b}.svc.cluster.local:8080`,
        `tcp://named.${a}.svc.cluster.local:8080`,
        'tcp://kubernetes.default.svc.cluster.local:443',
        ...(outside ? [`tcp://${outside.ip}:${outsidePort}`, `tcp://${outside.nodeIp}:6443`] : []),
      ],
    });
    for (const [url, result] of Object.entries(found)) expect(`${url} ${result}`).toContain('closed');
  });

  it("the network alone: a tentacle's labels open what its contract names and nothing else", async () => {
    const echo = `http://echo.${services}.svc.cluster.local:80`;
    const victim = `tcp://victim.${b}.svc.cluster.local:8080`;
    const outsideUrls = outside ? [`tcp://${outside.ip}:${outsidePort}`, `tcp://${outside.ip}:${outsidePort + 1}`] : [];
    const found = await probeFromPod(kube, {
      namespace: a,
      name: 'probe-named',
      image,
      labels: { 'tentacular.io/enclave': a, 'tentacular.io/tentacle': 'named' },
      urls: [echo, victim, ...outsideUrls],
    });
    expect(found[echo]).toBe('open');
    expect(found[victim]).toContain('closed');
    if (outside) {
      expect(found[`tcp://${outside.ip}:${outsidePort}`]).toBe('open');
      expect(found[`tcp://${outside.ip}:${outsidePort + 1}`]).toContain('closed');
    }
  });

  it('a second enclave cannot call a tentacle of the first, though it may send to that name', async () => {
    await mcp.ok('wf_apply', {
      enclave: a,
      ...oneNodeWorkflow('intruder', dial, {
        contract: {
          version: '1',
          dependencies: { victim: { protocol: 'http', host: `victim.${b}.svc.cluster.local`, port: 8080 } },
        },
      }),
      wait: true,
    });
    const answer = await outcome('intruder', `http://victim.${b}.svc.cluster.local:8080/health`);
    expect(answer).not.toContain('open');
    const run = await mcp.ok('wf_run', { enclave: b, name: 'victim', input: { name: 'still here' } });
    expect(JSON.stringify(run.output)).toContain('STILL HERE');
  });

  it('the runtime alone: with the network wide open a host outside the contract is still refused', async () => {
    await kube.apply([
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'test-opens-all', namespace: a },
        spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{}] },
      },
    ]);
    try {
      const echo = `http://echo.${services}.svc.cluster.local/`;
      await eventually('the network is open', async () => {
        const found = await probeFromPod(kube, {
          namespace: a,
          name: 'probe-open',
          image,
          urls: [`${echo.slice(0, -1)}:80`],
        });
        return Object.values(found)[0] === 'open';
      });
      const refused = await outcome('closed', echo);
      expect(refused).toContain('NotCapable');
      expect(await outcome('named', echo)).toContain('open 200');
      expect(await outcome('named', `http://victim.${b}.svc.cluster.local:8080/health`)).toContain('NotCapable');
      expect(await outcome('named', 'http://169.254.169.254/')).toMatch(/NotCapable/);
    } finally {
      await kube.remove('networkpolicy', 'test-opens-all', a);
    }
  });

  it('a node reads no environment and no file beyond the flags, writes nowhere but /tmp, starts nothing', async () => {
    const body = `
      const attempt = async (name, act) => {
        try { return [name, 'done ' + String(await act()).slice(0, 60)]; }
        catch (error) { return [name, error.name]; }
      };
      return Object.fromEntries(await Promise.all([
        attempt('env', () => Deno.env.get('KUBERNETES_SERVICE_HOST') ?? 'absent'),
        attempt('allEnv', () => JSON.stringify(Deno.env.toObject())),
        attempt('passwd', () => Deno.readTextFile('/etc/passwd')),
        attempt('proc', () => Deno.readTextFile('/proc/self/environ')),
        attempt('token', () => Deno.readTextFile('/var/run/secrets/kubernetes.io/serviceaccount/token')),
        attempt('writeApp', () => Deno.writeTextFile('/app/workflow/x', 'x')),
        attempt('writeRoot', () => Deno.writeTextFile('/x', 'x')),
        attempt('writeTmp', async () => { await Deno.writeTextFile('/tmp/x', 'x'); return 'written'; }),
        attempt('readCode', () => Deno.readTextFile('/app/workflow/workflow.yaml')),
        attempt('run', () => new Deno.Command('/bin/true').output()),
        attempt('ffi', () => Deno.dlopen('/lib/x86_64-linux-gnu/libc.so.6', {})),
      ]));`;
    await mcp.ok('wf_apply', { enclave: a, ...oneNodeWorkflow('curious', body), wait: true });
    const run = await mcp.ok('wf_run', { enclave: a, name: 'curious' });
    const found = findProbe(run.output);
    for (const key of ['passwd', 'proc', 'token', 'writeApp', 'writeRoot', 'run', 'ffi']) {
      expect(`${key}: ${String(found[key])}`).toContain('NotCapable');
    }
    expect(found.env).toMatch(/absent|NotCapable/);
    expect(String(found.allEnv)).not.toMatch(/KUBERNETES|PATH|TOKEN/);
    expect(found.writeTmp).toBe('done written');
    expect(String(found.readCode)).toMatch(/^done .*curious/s);
  });
});

/** The object with the findings, wherever the engine put the node's output. */
function findProbe(output: unknown): JsonObject {
  if (isJsonObject(output)) {
    if ('writeTmp' in output) return output;
    for (const value of Object.values(output)) {
      const found = findProbe(value);
      if ('writeTmp' in found) return found;
    }
  }
  return {};
}

async function listenOutside(netns: string): Promise<ChildProcess> {
  // It ends with this process, however that ends: its ports are the same with each run.
  const program = `process.stdin.resume().on('end', () => process.exit());
    for (const port of [${outsidePort}, ${outsidePort + 1}])
    require('node:http').createServer((_, res) => res.end('outside')).listen(port, () => console.log('up'));`;
  const child = spawn('ip', ['netns', 'exec', netns, process.execPath, '-e', program]);
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the listener outside ended with ${code}`)));
  });
  return child;
}

function echoService(namespace: string, image: string): object[] {
  const labels = { app: 'echo' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'echo', namespace },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'echo', image, imagePullPolicy: 'IfNotPresent' }] },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'echo', namespace },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 9000 }] },
    },
  ];
}
