import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../constructs/model/json.ts';
import { type ToolName, toolApis } from '../../../server/api/tools.ts';
import { parseInput } from '../../../server/mcp/input.ts';

function faultsOf(tool: ToolName, given: JsonValue): { path: string; message: string; allowed?: string }[] {
  const parsed = parseInput(tool, toolApis[tool].input, given);
  if (parsed.ok) return [];
  expect(parsed.error.code).toBe('invalid_input');
  const faults = parsed.error.details?.faults;
  return Array.isArray(faults) ? (faults as { path: string; message: string }[]) : [];
}

describe('arguments of tools', () => {
  it('all faults are told at once, each with its path and what was found', () => {
    const faults = faultsOf('wf_logs', { enclave: 'Not A Name', tail_lines: 0, previous: 'yes', wrong: 1 });
    expect(faults.map(({ path }) => path).sort()).toEqual(['enclave', 'previous', 'tail_lines', 'wrong']);
    expect(faults.find(({ path }) => path === 'enclave')).toMatchObject({ found: 'Not A Name' });
  });

  it('an unknown argument is refused and the known ones are named', () => {
    const [fault] = faultsOf('wf_status', { enclave: 'a', name: 'b', detial: true });
    expect(fault).toMatchObject({ path: 'detial', allowed: 'enclave, name, detail' });
  });

  it('a missing argument is told as required', () => {
    expect(faultsOf('wf_status', {})).toEqual([
      expect.objectContaining({ path: 'enclave', message: expect.stringContaining('required') }),
      expect.objectContaining({ path: 'name', message: expect.stringContaining('required') }),
    ]);
  });

  it.each([
    ['a traversal', '../kube-system'],
    ['a slash', 'a/b'],
    ['a query', 'a?watch=1'],
    ['upper case', 'Team'],
    ['nothing', ''],
    ['a NUL', 'a\u0000b'],
    ['too long', 'a'.repeat(64)],
    ['a line feed at the end', 'a\n'],
  ])('%s is no enclave', (_what, enclave) => {
    expect(faultsOf('wf_list', { enclave })).toHaveLength(1);
  });

  it('an error repeats no value of secrets, files, workflow or input', () => {
    const canary = 'CANARY-0451';
    const parsed = parseInput('wf_apply', toolApis.wf_apply.input, {
      enclave: 'a',
      workflow: 7,
      files: { 'nodes/a.ts': 1, [canary]: canary },
      secrets: { service: canary, other: [canary] },
      manifests: canary,
    });
    expect(parsed.ok).toBe(false);
    const text = parsed.ok ? '' : JSON.stringify([parsed.error.message, parsed.error.details]);
    expect(text).not.toContain(canary);
  });

  it('nesting, number of values and prototype keys are bounded before anything recurses', () => {
    const deep: JsonObject = JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`);
    expect(faultsOf('wf_run', { enclave: 'a', name: 'b', input: deep })).toEqual([
      expect.objectContaining({ message: expect.stringContaining('deep') }),
    ]);
    const wide = Array.from({ length: 100_001 }, () => 1);
    expect(faultsOf('wf_run', { enclave: 'a', name: 'b', input: wide })).toEqual([
      expect.objectContaining({ message: expect.stringContaining('many') }),
    ]);
    const polluted: JsonObject = JSON.parse('{"enclave":"a","name":"b","input":{"__proto__":{"polluted":true}}}');
    expect(faultsOf('wf_run', polluted)).toEqual([
      expect.objectContaining({ message: expect.stringContaining('__proto__') }),
    ]);
  });

  it('an error stays short, whatever is sent', () => {
    const unknown = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`${index}`.padEnd(500, 'x'), 1]));
    const parsed = parseInput('wf_list', toolApis.wf_list.input, unknown);
    expect(parsed.ok ? '' : parsed.error.message.length).toBeLessThan(20_000);
  });

  it('any JSON whatever is either accepted or answered with invalid_input', () => {
    const names = Object.keys(toolApis) as ToolName[];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), (tool, value) => {
        const parsed = parseInput(tool, toolApis[tool].input, value as JsonValue);
        return parsed.ok || parsed.error.code === 'invalid_input';
      }),
      { numRuns: 300 },
    );
  });
});
