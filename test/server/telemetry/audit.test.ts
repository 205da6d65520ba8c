import { describe, expect, it } from 'vitest';
import { argumentsDigest, clientText, createAuditSink } from '../../../server/telemetry/audit.ts';

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

  it('a client cannot break out of its field', () => {
    expect(clientText({ name: 'evil\n\u001b[2J', version: '1' })).toBe('evil??[2J/1');
    expect(clientText({ name: 'x'.repeat(500), version: '1' })).toHaveLength(128);
    expect(clientText(undefined)).toBeUndefined();
  });
});
