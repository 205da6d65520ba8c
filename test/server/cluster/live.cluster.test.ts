import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { RendererOptions } from '../../../constructs/model/options.ts';
import { renderEnclave, renderTentacle } from '../../../constructs/render.ts';
import { readWorkspace } from '../../../constructs/workspace.ts';
import { type Cluster, createCluster, type RequestRecord } from '../../../server/cluster/index.ts';
import { eventually } from '../../support/eventually.ts';
import { enclave, options as fixtureOptions, type TentacleFixture } from './fixture.ts';
import { type Place, request, told, writes } from './place.ts';
import { realPlace } from './real-place.ts';
import { refusal } from './suite-apply.ts';

/** What only a whole cluster shows: controllers, pods, the real renderer's sets, tokens. */
describe('a whole cluster', () => {
  const stem = `cc-live-${process.pid}-${Date.now().toString(36)}`;
  const namespace = stem;
  const rendered = `${stem}-r`;
  const records: RequestRecord[] = [];
  let place: Place;
  let cluster: Cluster;

  const rendererOptions: RendererOptions = {
    ...fixtureOptions,
    engineImage: inject('engineImage'),
    imagePullPolicy: 'Never',
    dns: { namespaceLabels: { 'kubernetes.io/metadata.name': 'kube-system' }, podLabels: { 'k8s-app': 'kube-dns' } },
  };

  beforeAll(async () => {
    place = await realPlace(inject('kubeconfig'));
    cluster = await createCluster({ connection: place.connection, onRequest: (record) => records.push(record) });
    await cluster.provision(enclave({ name: namespace, ownerSub: 'owner' }), {});
    await cluster.provision(renderEnclave({ name: rendered, ownerSub: 'owner' }, rendererOptions), {});
  });
  afterAll(async () => {
    const gone = await Promise.all([namespace, rendered].map((name) => cluster.deprovision(name, { waitMs: 240_000 })));
    expect(gone.map((result) => result.namespaceDeleted)).toEqual([true, true]);
    await cluster.close();
  });

  it('every example is applied within its budget, and applied again without a write or a question', async () => {
    const workspace = await readWorkspace('examples');
    const tentacles = workspace.enclaves.flatMap((found) => found.tentacles);
    expect(tentacles.length).toBeGreaterThanOrEqual(4);
    for (const { name, workflow, files } of tentacles) {
      const set = renderTentacle({ enclave: rendered, name, workflow, files }, rendererOptions);
      const wanted = { rendered: set, options: rendererOptions, rendererVersion: 't', stamps: { deployedBy: 'x' } };
      await cluster.enclave(rendered);
      records.length = 0;
      const first = await cluster.apply(wanted);
      expect(first.status, name).toBe('created');
      // Credentials that lack may be in a Secret that something else has put there: that is one more to look at.
      const objects = set.manifests.length + (set.secretServices.length > 0 ? 1 : 0);
      // The revision is an object too; the reading of the namespace above is the third of the three.
      expect(records.length, name).toBeLessThanOrEqual(objects + 1 + 2);
      records.length = 0;
      const second = await cluster.apply(wanted);
      expect(second.status, name).toBe('unchanged');
      expect(
        records.filter((r) => r.verb !== 'get' && r.verb !== 'list'),
        name,
      ).toEqual([]);
      expect(records.length, name).toBeLessThanOrEqual(objects + 2);
    }
  });

  it('applying the rendered enclave again writes nothing', async () => {
    records.length = 0;
    const again = await cluster.provision(renderEnclave({ name: rendered, ownerSub: 'owner' }, rendererOptions), {});
    expect(again.resources.filter((r) => r.outcome !== 'unchanged')).toEqual([]);
    expect(writes(records).filter((r) => r.status < 300)).toEqual([]);
  });

  it('a real engine is reached through a forwarded port: it runs, and remembers the run', async () => {
    const state = await cluster.wait(rendered, 'hello', { timeoutMs: 100_000 });
    expect(state, JSON.stringify(state)).toMatchObject({ state: 'current' });
    const target = { enclave: rendered, name: 'hello' };
    const reply = await cluster.engine.run(target, { runId: 'live-1', input: {}, timeoutMs: 30_000 });
    expect(reply).toMatchObject({ success: true, runId: 'live-1' });
    expect(reply.podName).toMatch(/^hello-/);
    expect((await cluster.engine.runs(target)).map((run) => run.run_id)).toContain('live-1');
    expect(await cluster.engine.health(target, { detail: true })).toMatchObject({ runs: 1 });
    expect(await cluster.engine.findRun(target, 'live-nothing')).toBeUndefined();
    const { lines } = await cluster.logs({ enclave: rendered, name: 'hello' });
    expect(lines.length).toBeGreaterThan(0);
    const events = await cluster.events(rendered, { names: ['hello'] });
    expect(events.map((event) => event.object)).toContain('Deployment/hello');
    expect((await cluster.pods(rendered, 'hello'))[0]).toMatchObject({ ready: true, tentacle: 'hello' });
  });

  it('a rollout that gets there is current, and progress was told on the way', async () => {
    await cluster.apply(request(namespace, 'runs'));
    const seen: string[] = [];
    const state = await cluster.wait(namespace, 'runs', { timeoutMs: 60_000, onProgress: (s) => seen.push(s.state) });
    expect(state).toMatchObject({ state: 'current', revision: 1, available: 1, timedOut: false });
    expect(seen.at(-1)).toBe('current');
  });

  it.each<[string, TentacleFixture, RegExp, RegExp]>([
    ['an image that is not there', { image: 'localhost/absent:1' }, /ErrImageNeverPull|ImagePullBackOff/, /absent/],
    ['a program that is not there', { command: ['/nothing'] }, /CrashLoopBackOff|RunContainerError/, /.*/],
    ['a pod above the quota', { memory: '8Gi' }, /FailedCreate/, /exceeded quota/],
    ['a pod that Pod Security refuses', { podExtra: { hostPID: true } }, /FailedCreate/, /violates PodSecurity/],
  ])('%s fails the rollout with the reason', async (title, fixture, reason, message) => {
    const name = `fails-${title.replace(/[^a-z]/g, '').slice(-12)}`;
    await cluster.apply(request(namespace, name, fixture));
    const state = await cluster.wait(namespace, name, { timeoutMs: 60_000 });
    expect(state, JSON.stringify(state)).toMatchObject({ state: 'failed' });
    expect(state.failure?.reason).toMatch(reason);
    expect(state.failure?.message).toMatch(message);
    await cluster.remove({ enclave: namespace, name });
  });

  it('remove waits until the pods are gone and leaves nothing of the tentacle', async () => {
    const result = await cluster.remove({ enclave: namespace, name: 'runs', waitMs: 60_000 });
    expect(result.podsGone).toBe(true);
    expect(told(result.deleted).at(-1)).toBe('Deployment deleted');
    expect(await cluster.pods(namespace, 'runs')).toEqual([]);
    expect(await cluster.history(namespace, 'runs')).toEqual([]);
  });

  it('a mounted token is read again when it is replaced, and its rights are told from its absence', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cc-token-'));
    const url = new URL(place.connection.server);
    const { ca = '' } = place.connection;
    await writeFile(join(folder, 'ca.crt'), ca);
    await writeFile(join(folder, 'token'), 'not-a-token');
    const connection = { kind: 'in-cluster' as const, host: url.hostname, port: Number(url.port), folder };
    const inside = await createCluster({ connection });
    const ref = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
    expect((await refusal(inside.reader.get(ref))).message).toMatch(/Unauthorized/);
    await writeFile(join(folder, 'token'), await tokenOf(place, namespace));
    const error = await refusal(inside.reader.get(ref));
    expect(error).toMatchObject({ code: 'cluster_error' });
    expect(error.message).toMatch(/forbidden.*system:serviceaccount/i);
    await inside.close();
    await rm(folder, { recursive: true });
  });
});

/** A token of the namespace's default ServiceAccount. */
async function tokenOf(place: Place, namespace: string): Promise<string> {
  const { Transport } = await import('../../../server/cluster/transport.ts');
  const { connection } = place;
  const settings = { userAgent: 'test', onRequest: () => undefined, now: Date.now, random: Math.random };
  const transport = await Transport.open({ connection, ...settings });
  const answer = await eventually('the default ServiceAccount', () =>
    transport.send({
      verb: 'other',
      resource: 'serviceaccounts/token',
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/serviceaccounts/default/token`,
      body: '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}',
      subject: 'make a token',
    }),
  );
  await transport.close();
  const status = JSON.parse(JSON.stringify(answer)).status;
  return String(status.token);
}
