import { describe, expect, it } from 'vitest';
import { argumentsDigest, clientText, createAuditSink, namedIn } from '../../../server/telemetry/audit.ts';

describe('audit records', () => {
  it('are one JSON line each, whatever is in them', () => {
    const lines: string[] = [];
    const audit = createAuditSink((line) => lines.push(line));
    const record = {
      time: '2026-07-28T12:00:00.000Z',
      principal: 'bearer-token',
      principal_kind: 'token',
      tool: 'wf_list',
      enclave: 'a\n{"forged":true}',
      arguments_digest: 'sha256:0',
      decision: 'allowed',
      reason: 'r',
      outcome: 'ok',
      duration_ms: 1,
      call_id: 'c',
      trace_id: '0',
    } as const;
    audit(record);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.split('\n')).toHaveLength(2);
    expect(JSON.parse(lines[0] ?? '')).toEqual(record);
  });

  it('nothing in them ends a line, moves a cursor or hides, and all of it can be read back', () => {
    const lines: string[] = [];
    const hostile = 'a\u0000\u001b[2J\u007f\u0085\u200b\u2028\u2029\u202e\ufeff\u{e0041}é';
    createAuditSink((line) => lines.push(line))({
      time: '2026-07-28T12:00:00.000Z',
      principal: hostile,
      principal_kind: 'oidc',
      principal_sub: hostile,
      tool: 'wf_list',
      arguments_digest: 'sha256:0',
      decision: 'denied',
      reason: hostile,
      outcome: 'ok',
      duration_ms: 1,
      call_id: 'c',
      trace_id: '0',
    });
    const [line = ''] = lines;
    expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(line)).toMatchObject({ principal: hostile, reason: hostile });
  });

  it('of an argument only what can be a name is told as one', () => {
    expect(namedIn({ enclave: 'team-a', name: 'hello' })).toEqual({ enclave: 'team-a', tentacle: 'hello' });
    expect(namedIn({ name: 'team-a', members: [] })).toEqual({ enclave: 'team-a' });
    for (const other of ['CANARY-0451', 'a\nb', 'sk_live_0451', '../x', 'x'.repeat(64), '', 7, null, {}]) {
      expect(namedIn({ enclave: other, name: other })).toEqual({});
      expect(namedIn({ name: other })).toEqual({});
    }
    expect(namedIn('text')).toEqual({});
  });

  it('the digest is the same for the same arguments in any order, and another for others', () => {
    const digest = argumentsDigest({ a: 1, b: { c: 2, d: 3 } });
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(argumentsDigest({ b: { d: 3, c: 2 }, a: 1 })).toBe(digest);
    expect(argumentsDigest({ a: 1, b: { c: 2, d: 4 } })).not.toBe(digest);
  });

  it('Secret values have no influence on the digest, so it cannot be used to guess them; their names have', () => {
    const digest = (value: string) => argumentsDigest({ name: 'a', secrets: { api: { token: value } } });
    expect(digest('hunter2')).toBe(digest('correct horse'));
    expect(argumentsDigest({ name: 'a', secrets: { api: null } })).not.toBe(digest('x'));
    expect(argumentsDigest({ name: 'a', secrets: { other: { token: 'x' } } })).not.toBe(digest('x'));
  });

  it('nor have those of a Secret that was sent among manifests, where it is refused', () => {
    const digest = (field: string, value: string, kind = 'Secret') =>
      argumentsDigest({
        manifests: [{ kind: 'Service' }, { kind, metadata: { name: 's' }, [field]: { key: value } }, 7],
      });
    for (const field of ['data', 'stringData']) expect(digest(field, 'hunter2')).toBe(digest(field, 'correct horse'));
    expect(digest('data', 'x')).not.toBe(digest('stringData', 'x'));
    expect(digest('data', 'x', 'ConfigMap')).not.toBe(digest('data', 'y', 'ConfigMap'));
  });

  it('a client cannot break out of its field', () => {
    expect(clientText({ name: 'evil\n\u001b[2J', version: '1' })).toBe('evil??[2J/1');
    expect(clientText({ name: 'x'.repeat(500), version: '1' })).toHaveLength(128);
    expect(clientText(undefined)).toBeUndefined();
  });
});
