import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeStatus, parseCommandLine } from '../../local/cluster-command.ts';
import { projectRoot } from '../support/source-files.ts';

test('options become settings; what is not given is not set', () => {
  expect(parseCommandLine(['up'])).toEqual({ command: 'up', json: false, options: {} });
  expect(
    parseCommandLine([
      'up',
      '--outside',
      '--ports',
      'api=7443,kubelet=10350',
      '--pod-cidr',
      '10.1.0.0/16',
      '--state',
      '/s',
    ]),
  ).toEqual({
    command: 'up',
    json: false,
    options: { outside: true, ports: { api: 7443, kubelet: 10350 }, podCidr: '10.1.0.0/16', stateDir: '/s' },
  });
  expect(parseCommandLine(['status', '-o', 'json'])).toMatchObject({ command: 'status', json: true });
  expect(parseCommandLine(['up', '--help'])).toBeUndefined();
});

test.each([
  ['no command', [], /must be a command; found null; allowed: up, down, status, reset, kubeconfig/],
  ['an unknown command', ['start'], /found "start"/],
  ['an unknown option', ['up', '--fast'], /--fast/],
  ['an unknown port', ['up', '--ports', 'dns=53'], /found "dns"; allowed: api, etcd/],
  ['an unknown format', ['status', '-o', 'yaml'], /found "yaml"; allowed: text, json/],
  ['too many words', ['up', 'now'], /takes no arguments; found "now"/],
])('%s is refused with what is allowed', (_what, args, expected) => {
  expect(() => parseCommandLine(args)).toThrow(expected);
});

test('a status says whose the cluster is, what runs, and what to do', () => {
  const text = describeStatus({
    state: 'partial',
    stateDir: '/var/lib/tentacular',
    checkout: '/home/ada/tentacular',
    startedAt: '2026-01-02T03:04:05.000Z',
    outside: false,
    nodeReady: false,
    programs: [
      { name: 'etcd', pid: 42, alive: true },
      { name: 'kubelet', alive: false },
    ],
  });
  expect(text.split('\n')).toEqual([
    'partial, state in /var/lib/tentacular',
    'started 2026-01-02T03:04:05.000Z from /home/ada/tentacular; nothing that a pod sends leaves the machine',
    'node not ready',
    '  etcd                     pid 42',
    '  kubelet                  not running',
    'start it: npm run cluster -- up',
  ]);
});

function command(args: string[], env: NodeJS.ProcessEnv = process.env) {
  return spawnSync(process.execPath, [join(projectRoot, 'local/cluster-command.ts'), ...args], {
    encoding: 'utf8',
    env,
  });
}

test('help goes to standard output, a wrong call to standard error with exit code 2', () => {
  const help = command(['--help']);
  expect([help.status, help.stderr]).toEqual([0, '']);
  expect(help.stdout).toContain('Usage: npm run cluster -- <command>');
  const wrong = command(['start']);
  expect([wrong.status, wrong.stdout]).toEqual([2, '']);
  expect(wrong.stderr).toContain('allowed: up, down, status, reset, kubeconfig');
});

test('where there is no cluster, status and kubeconfig say how to start it, and change nothing', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'tentacular-none-'));
  const status = command(['status', '--state', stateDir]);
  expect(status.status).toBe(1);
  expect(status.stdout).toBe(`absent, state in ${stateDir}\nstart it: npm run cluster -- up\n`);
  const kubeconfig = command(['kubeconfig', '--state', stateDir]);
  expect([kubeconfig.status, kubeconfig.stdout]).toEqual([1, '']);
  expect(kubeconfig.stderr).toBe(`There is no local cluster in ${stateDir}\n→ Start it: npm run cluster -- up\n`);
  rmSync(stateDir, { recursive: true });
});
