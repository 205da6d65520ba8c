import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorOfAnswer } from '../../../server/cluster/api-error.ts';
import { openConnection } from '../../../server/cluster/connection.ts';
import { createCluster } from '../../../server/cluster/index.ts';
import { backoffMs } from '../../../server/cluster/pause.ts';
import { plainText } from '../../../server/cluster/plain-text.ts';
import { Transport } from '../../../server/cluster/transport.ts';
import { startFakeApiServer } from '../../support/fake-api-server.ts';
import { refusal } from './suite-apply.ts';

const judged = (status: number, message: string, reason = '') => {
  const options = { write: true, secret: false };
  const { code, retryable } = errorOfAnswer('apply X', status, { message, reason }, options);
  return `${code} ${retryable}`;
};

describe('answers of the API server as codes', () => {
  it.each([
    [403, 'pods "x" is forbidden: exceeded quota: q, requested: cpu=1', 'quota_exceeded false'],
    [403, 'pods "x" is forbidden: violates PodSecurity "restricted:latest"', 'policy_violation false'],
    [422, "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no", 'policy_violation false'],
    [400, 'admission webhook "w" denied the request: no', 'policy_violation false'],
    [500, 'failed to create typed patch object (n/d): .spec.x: field not declared in schema', 'invalid_input false'],
    [400, 'strict decoding error: unknown field "spec.x"', 'invalid_input false'],
    [403, 'unable to create new content in namespace x because it is being terminated', 'conflict true'],
    [403, 'User "u" cannot patch resource "deployments"', 'cluster_error false'],
    [401, 'Unauthorized', 'cluster_error false'],
    [404, 'not found', 'not_found false'],
    [409, 'exists', 'conflict false'],
    [413, 'too large', 'invalid_input false'],
    [422, 'invalid', 'invalid_input false'],
    [429, 'slow down', 'unavailable true'],
    [503, 'starting', 'unavailable true'],
    [504, 'timeout', 'timeout true'],
    [500, 'etcd', 'cluster_error true'],
    [501, 'no', 'cluster_error true'],
  ])('%i "%s" is %s', (status, message, expected) => expect(judged(status, message)).toBe(expected));

  it('the faults of an invalid object are told by field, all of them', () => {
    const causes = [
      { reason: 'FieldValueInvalid', field: 'spec.a', message: 'bad a' },
      { reason: 'FieldValueRequired', field: 'spec.b', message: 'needs b' },
    ];
    const error = errorOfAnswer(
      'apply X',
      422,
      { message: 'invalid', details: { causes } },
      { write: true, secret: false },
    );
    expect(error.details).toEqual({
      faults: [
        { path: 'spec.a', message: 'bad a' },
        { path: 'spec.b', message: 'needs b' },
      ],
    });
  });

  it('a refused Secret is never quoted', () => {
    const message = 'Secret "s" is invalid: data[x y]: Invalid value: "canary-77": must be a key';
    const causes = [{ reason: 'FieldValueInvalid', field: 'data[x]', message: 'Invalid value: "canary-77"' }];
    const error = errorOfAnswer('apply Secret', 422, { message, details: { causes } }, { write: true, secret: true });
    expect(JSON.stringify([error.message, error.details, error.hint])).not.toContain('canary-77');
    expect(error.message).toContain('must be a key');
  });

  it('what the API server says is shown without control characters, and capped', () => {
    const error = errorOfAnswer(
      'x',
      500,
      { message: `a\u200b\n${'y'.repeat(5_000)}` },
      { write: false, secret: false },
    );
    expect(error.message.length).toBeLessThan(1_100);
    expect(error.message).not.toMatch(/[\n\u200b]/);
  });
});

describe('untrusted text', () => {
  it('loses terminal sequences, control, zero-width and direction characters, and lone surrogates', () => {
    const esc = String.fromCharCode(27);
    expect(plainText(`${esc}[31ma${esc}[0m\u0000b\u200bc\u202ed\ufeffe\u{E0041}f\ud800g`)).toBe('abcdef\ufffdg');
    expect(plainText('line one\r\nline two\tend')).toBe('line one line two end');
    expect(plainText('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`);
    expect(plainText('ünïcode 日本 🎉')).toBe('ünïcode 日本 🎉');
  });
});

describe('connections', () => {
  it('the token file is read again after ten seconds, or at once when the API server refuses it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cc-conn-'));
    await writeFile(join(folder, 'ca.crt'), 'CA');
    await writeFile(join(folder, 'token'), 'one\n');
    let time = 0;
    const access = await openConnection({ kind: 'in-cluster', host: 'fd00::1', port: 443, folder }, () => time);
    expect(access.origin).toBe('https://[fd00::1]:443');
    expect(await access.authorization(false)).toBe('Bearer one');
    await writeFile(join(folder, 'token'), 'two');
    expect(await access.authorization(false)).toBe('Bearer one');
    expect(await access.authorization(true)).toBe('Bearer two');
    await writeFile(join(folder, 'token'), 'three');
    await writeFile(join(folder, 'ca.crt'), 'CA2');
    time = 11_000;
    expect(await access.authorization(false)).toBe('Bearer three');
    expect(access.tls()).toEqual({ ca: 'CA2' });
    await rm(folder, { recursive: true });
    time = 30_000;
    expect(await access.authorization(false), 'the old token outlives a failed read').toBe('Bearer three');
    await expect(openConnection({ kind: 'in-cluster', host: 'x', port: 1, folder }, () => 0)).rejects.toMatchObject({
      code: 'cluster_error',
    });
  });

  it('a kubeconfig is used only for the context that was named; another name lists those there are', async () => {
    const fake = await startFakeApiServer();
    fake.token('from-the-kubeconfig');
    const folder = await mkdtemp(join(tmpdir(), 'cc-kube-'));
    const kubeconfig = join(folder, 'config');
    const content = {
      clusters: [{ name: 'c', cluster: { server: fake.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: 'from-the-kubeconfig' } }],
      contexts: [{ name: 'wanted', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'production',
    };
    await writeFile(kubeconfig, JSON.stringify(content));
    const cluster = await createCluster({ connection: { kind: 'context', context: 'wanted', kubeconfig } });
    await cluster.ping();
    await cluster.close();
    const error = await refusal(createCluster({ connection: { kind: 'context', context: 'other', kubeconfig } }));
    expect(error).toMatchObject({ code: 'invalid_input' });
    expect(error.message).toContain('wanted');
    await rm(folder, { recursive: true });
    await fake.close();
  });

  it('a refused credential is asked for once more, and no more', async () => {
    const fake = await startFakeApiServer();
    fake.token('second');
    let asked = 0;
    const token = () => (++asked === 1 ? 'first' : 'second');
    const cluster = await createCluster({ connection: { kind: 'direct', server: fake.url, token } });
    await cluster.ping();
    expect(asked).toBe(2);
    fake.token('third');
    expect(await refusal(cluster.ping())).toMatchObject({ code: 'cluster_error' });
    expect(asked).toBe(4);
    await cluster.close();
    await fake.close();
  });
});

describe('streams', () => {
  it('a log that is aborted in the middle just ends: nothing is thrown at the process', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200).write('one line\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const transport = await Transport.open({
      connection: { kind: 'direct', server: `http://127.0.0.1:${port}` },
      userAgent: 'x',
      onRequest: () => undefined,
      now: Date.now,
      random: Math.random,
    });
    const thrown: unknown[] = [];
    const note = (error: unknown) => thrown.push(error);
    process.on('uncaughtException', note);
    process.on('unhandledRejection', note);
    const controller = new AbortController();
    const request = {
      verb: 'log' as const,
      resource: 'pods/log',
      method: 'GET' as const,
      path: '/log',
      subject: 'read',
    };
    const stream = await transport.stream(request, { signal: controller.signal });
    const parts: string[] = [];
    for await (const chunk of stream.chunks) {
      parts.push(chunk.toString());
      controller.abort();
    }
    expect(parts).toEqual(['one line\n']);
    await transport.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    process.off('uncaughtException', note);
    process.off('unhandledRejection', note);
    expect(thrown).toEqual([]);
  });

  it('pauses grow, never beyond their cap, never to nothing', () => {
    const bounds = { baseMs: 100, capMs: 1_000 };
    expect([1, 2, 3, 9, 99].map((attempt) => backoffMs(attempt, bounds, () => 1))).toEqual([
      100, 200, 400, 1_000, 1_000,
    ]);
    expect(backoffMs(1, bounds, () => 0)).toBe(50);
  });
});
