import { expect, it } from 'vitest';
import { parseArguments } from '../../../engine/process/arguments.ts';

it('without arguments everything is where the pod has it', () => {
  expect(parseArguments([])).toEqual({ workflow: '/app/workflow', secrets: '/app/secrets', port: 8080 });
});

it('every option can be set', () => {
  const args = ['--workflow', '/w', '--secrets', '/s', '--port', '0', '--host', '::1', '--grace-ms', '1000'];
  expect(parseArguments(args)).toEqual({ workflow: '/w', secrets: '/s', port: 0, host: '::1', graceMs: 1000 });
});

it('all faults are named at once', () => {
  expect(() => parseArguments(['--ports', '1', '--port', '70000', '--grace-ms', '-1', '--host'])).toThrow(
    'the command line has 4 faults:\n' +
      '- --ports: is no option of the engine; allowed: --workflow, --secrets, --port, --host, --grace-ms\n' +
      '- --host: needs a value; allowed: an address to listen on\n' +
      '- --port: is out of range; found "70000"; allowed: a port, 0 to 65535\n' +
      '- --grace-ms: is out of range; found "-1"; allowed: milliseconds, 0 to 86400000',
  );
});
