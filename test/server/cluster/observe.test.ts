import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { isNamedAfter } from '../../../server/cluster/events.ts';
import { type Cluster, createCluster } from '../../../server/cluster/index.ts';
import { type FakeApiServer, startFakeApiServer } from '../../support/fake-api-server.ts';

const labels = {
  'app.kubernetes.io/managed-by': 'tentacular',
  'app.kubernetes.io/version': '1.0.0',
  'tentacular.io/enclave': 'team',
  'tentacular.io/tentacle': 'hello',
};

/** What an attacker writes into logs and events: terminal sequences, zero-width and direction characters, tags. */
const hostile = `${String.fromCharCode(27)}[31mred\u200b\u202e${String.fromCharCode(0)}\u{E0041}\nIGNORE ALL`;

describe('reading pods, events, logs and rollouts', () => {
  let api: FakeApiServer;
  let cluster: Cluster;
  let time = Date.parse('2026-01-01T00:10:00Z');

  beforeAll(async () => {
    api = await startFakeApiServer();
    cluster = await createCluster({ connection: { kind: 'direct', server: api.url }, now: () => time });
  });
  afterAll(async () => {
    await cluster.close();
    await api.close();
  });

  const deployment = (status: JsonObject, generation = 2): void => {
    const annotations = { 'tentacular.io/revision': '7' };
    api.put({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'hello', namespace: 'team', labels, generation, annotations },
      spec: { replicas: 1 },
      status: { observedGeneration: 2, ...status },
    });
  };
  const healthy = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
  const pod = (name: string, status: JsonObject, createdAt = '2026-01-01T00:00:00Z'): void => {
    api.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'team', labels, creationTimestamp: createdAt },
      spec: { nodeName: 'n1', containers: [{ name: 'engine' }] },
      status: { phase: 'Running', ...status },
    });
  };
  const container = (state: JsonObject, more: JsonObject = {}): JsonObject => ({
    containerStatuses: [{ name: 'engine', image: 'i', ready: false, restartCount: 0, state, ...more }],
  });

  it('a rollout is current only when the newest version was looked at, is whole, and the old pods are gone', async () => {
    const state = async () => (await cluster.rollout('team', 'hello')).state;
    deployment(healthy, 3);
    expect(await state()).toBe('in_progress');
    deployment({ ...healthy, replicas: 2 });
    expect(await state()).toBe('in_progress');
    deployment({ ...healthy, updatedReplicas: 0 });
    expect(await state()).toBe('in_progress');
    deployment({ ...healthy, availableReplicas: 0 });
    expect(await state()).toBe('in_progress');
    deployment({
      ...healthy,
      availableReplicas: 0,
      conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
    });
    expect(await state()).toBe('failed');
    deployment(healthy);
    expect(await cluster.rollout('team', 'hello')).toMatchObject({
      state: 'current',
      revision: 7,
      ready: 1,
      timedOut: false,
    });
    expect((await cluster.rollout('team', 'nobody')).state).toBe('not_found');
  });

  it('a crashing container fails the rollout with its exit code and the last lines of its log', async () => {
    deployment({ ...healthy, availableReplicas: 0 });
    api.log('hello-abc-1', 'engine', `first\n${hostile}\nlast`);
    const last = { terminated: { exitCode: 3, reason: 'Error' } };
    pod(
      'hello-abc-1',
      container({ waiting: { reason: 'CrashLoopBackOff', message: hostile } }, { restartCount: 4, lastState: last }),
    );
    const { state, failure } = await cluster.rollout('team', 'hello');
    expect(state).toBe('failed');
    expect(failure).toEqual({
      reason: 'CrashLoopBackOff',
      message: 'red IGNORE ALL',
      pod: 'hello-abc-1',
      container: 'engine',
      exitCode: 3,
      logs: ['first', 'red', 'IGNORE ALL', 'last'],
    });
  });

  it('a container that was killed for its memory is told as OOMKilled, not as a crash loop', async () => {
    const last = { terminated: { exitCode: 137, reason: 'OOMKilled' } };
    pod('hello-abc-1', container({ waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 1, lastState: last }));
    expect((await cluster.rollout('team', 'hello')).failure).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
  });

  it('an image that cannot be pulled is told at once and fails after a while: it may be on its way', async () => {
    pod(
      'hello-abc-1',
      container({ waiting: { reason: 'ErrImageNeverPull', message: 'not present' } }),
      '2026-01-01T00:10:00Z',
    );
    time = Date.parse('2026-01-01T00:10:05Z');
    expect(await cluster.rollout('team', 'hello')).toMatchObject({
      state: 'in_progress',
      failure: { reason: 'ErrImageNeverPull' },
    });
    time = Date.parse('2026-01-01T00:10:30Z');
    expect(await cluster.rollout('team', 'hello')).toMatchObject({
      state: 'failed',
      failure: { message: 'not present' },
    });
  });

  it('a quota that refuses the pod fails the rollout in the words of the cluster', async () => {
    const refused = {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message: 'exceeded quota: medium',
    };
    deployment({ ...healthy, updatedReplicas: 0, conditions: [refused] });
    expect(await cluster.rollout('team', 'hello')).toMatchObject({
      state: 'failed',
      failure: { reason: 'FailedCreate', message: 'exceeded quota: medium' },
    });
  });

  it('waiting tells each change once, in order, and ends with the state so far at the deadline', async () => {
    const waiting = await createCluster({ connection: { kind: 'direct', server: api.url } });
    api.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'hello-abc-1', namespace: 'team', labels: {} } });
    deployment({ ...healthy, updatedReplicas: 0, availableReplicas: 0 });
    const told: string[] = [];
    const late = await waiting.wait('team', 'hello', { timeoutMs: 300, onProgress: (s) => told.push(s.state) });
    expect(late).toMatchObject({ state: 'in_progress', timedOut: true });
    const done = waiting.wait('team', 'hello', {
      timeoutMs: 10_000,
      onProgress: (s) => {
        told.push(s.state);
        deployment(healthy);
      },
    });
    expect(await done).toMatchObject({ state: 'current', timedOut: false });
    expect(told).toEqual(['in_progress', 'in_progress', 'current']);
    await waiting.close();
  });

  it('pods are typed, sanitized, newest first, with the reason why they are not ready', async () => {
    pod('hello-abc-1', container({ waiting: { reason: 'ImagePullBackOff', message: hostile } }));
    pod('hello-abc-2', { conditions: [{ type: 'Ready', status: 'True' }], podIP: '10.0.0.1' }, '2026-01-01T00:05:00Z');
    const pods = await cluster.pods('team', 'hello');
    expect(pods.map((p) => [p.name, p.ready, p.reason, p.message])).toEqual([
      ['hello-abc-2', true, undefined, undefined],
      ['hello-abc-1', false, 'ImagePullBackOff', 'red IGNORE ALL'],
    ]);
    expect(pods[0]).toMatchObject({ tentacle: 'hello', version: '1.0.0', node: 'n1', ip: '10.0.0.1', restarts: 0 });
  });

  it('logs are sanitized, capped, filtered by plain text, and a container without a log is told', async () => {
    api.log('hello-abc-1', 'engine', `${hostile}\n${'x'.repeat(10_000)}\nfind [me]\n`);
    const all = await cluster.logs({ enclave: 'team', name: 'hello' });
    expect(all.lines.map(({ line }) => line.slice(0, 12))).toEqual(['red', 'IGNORE ALL', 'xxxxxxxxxxxx', 'find [me]']);
    expect(Math.max(...all.lines.map(({ line }) => line.length))).toBe(4_000);
    expect(all.missing).toMatchObject([{ pod: 'hello-abc-2', container: 'engine' }]);
    const grep = await cluster.logs({ enclave: 'team', pod: 'hello-abc-1', grep: '[me]' });
    expect(grep.lines).toEqual([{ pod: 'hello-abc-1', container: 'engine', line: 'find [me]' }]);
    api.log('hello-abc-1', 'engine', Array.from({ length: 2_000 }, (_, i) => `line ${i}`).join('\n'));
    const cut = await cluster.logs({ enclave: 'team', pod: 'hello-abc-1', tailLines: 2_000, limitBytes: 1_000 });
    expect(cut.truncated).toBe(true);
    expect(cut.lines.at(-1)?.line).toBe('line 1999');
    expect(cut.lines.length).toBeLessThan(200);
  });

  it('events are told newest first, of the tentacle that is named and of no other', async () => {
    const event = (name: string, about: { kind: string; name: string }, lastTimestamp: string) =>
      api.put({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name, namespace: 'team' },
        involvedObject: about,
        type: 'Warning',
        reason: 'BackOff',
        message: hostile,
        count: 3,
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp,
      });
    event('e1', { kind: 'Deployment', name: 'hello' }, '2026-01-01T00:00:01Z');
    event('e2', { kind: 'Pod', name: 'hello-5d4f8c7b9d-x2x4z' }, '2026-01-01T00:00:03Z');
    event('e3', { kind: 'Pod', name: 'hello-world-5d4f8c7b9d-x2x4z' }, '2026-01-01T00:00:02Z');
    const events = await cluster.events('team', { names: ['hello'] });
    expect(events.map((e) => e.object)).toEqual(['Pod/hello-5d4f8c7b9d-x2x4z', 'Deployment/hello']);
    expect(events[0]).toMatchObject({ message: 'red IGNORE ALL', count: 3, type: 'Warning' });
    expect(await cluster.events('team', { limit: 1 })).toHaveLength(1);
    expect(isNamedAfter('hello', 'ReplicaSet', 'hello-5d4f8c7b9d')).toBe(true);
    expect(isNamedAfter('hello', 'ReplicaSet', 'hello-world-5d4f8c7b9d')).toBe(false);
  });
});
