import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Redactor } from '../../../engine/context/redact.ts';
import { Secrets } from '../../../engine/context/secrets.ts';
import { secretFolder } from '../../../engine/process/secret-folder.ts';

let folder: string;
let redactor: Redactor;
let secrets: Secrets;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  redactor = new Redactor();
  secrets = new Secrets(
    secretFolder(folder, {
      readTextFileSync: (path) => readFileSync(path, 'utf8'),
      readDirSync: (path) =>
        readdirSync(path, { withFileTypes: true }).map((entry) => ({
          name: entry.name,
          isDirectory: entry.isDirectory(),
        })),
    }),
    redactor,
  );
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (service: string, text: string) => writeFileSync(join(folder, service), text);

describe('a secret', () => {
  it('is the value of its key in the file of its service', () => {
    write('github', '{"token": "ghp_first", "nested": {"a": 1}}');
    expect(secrets.value('github.token')).toBe('ghp_first');
    expect(secrets.value('github.nested')).toEqual({ a: 1 });
    expect(secrets.service('github')).toEqual({ token: 'ghp_first', nested: { a: 1 } });
  });

  it('is read afresh each time, so that a rotation needs no restart', () => {
    write('github', '{"token": "ghp_first"}');
    secrets.value('github.token');
    write('github', '{"token": "ghp_second"}');
    expect(secrets.value('github.token')).toBe('ghp_second');
    expect(redactor.text('ghp_first ghp_second')).toBe('[redacted] [redacted]');
  });

  it('that is missing is named, with what to do', () => {
    expect(() => secrets.value('github.token')).toThrow(
      'secret github is not there; give it in "secrets" when the workflow is applied',
    );
  });

  it('whose key is missing names the keys that are there, never their values', () => {
    write('github', '{"user": "canary-user", "pass": "canary-pass"}');
    expect(() => secrets.value('github.token')).toThrow('secret github has no key token; it has: pass, user');
    expect(() => secrets.value('github.toString')).toThrow('has no key toString');
  });

  it('that is no JSON object is refused without showing it', () => {
    write('github', 'canary-plain-token');
    expect(() => secrets.value('github.token')).toThrow(
      'secret github is not a JSON object; apply it again as {"<key>": "<value>"}',
    );
    expect(redactor.text('canary-plain-token')).toBe('[redacted]');
  });

  it.each(['../outside', '..', '/etc/passwd', '..data', ''])('may not leave the folder: %s', (service) => {
    expect(() => secrets.service(service)).toThrow('is not there');
  });
});

describe('at the start', () => {
  it('every mounted file is learnt as Kubernetes mounts it, so that what a node reads by itself is redacted too', () => {
    mkdirSync(join(folder, '..2026_01_01'));
    writeFileSync(join(folder, '..2026_01_01', 'github'), '{"token": "canary-mounted"}');
    symlinkSync('..2026_01_01', join(folder, '..data'));
    symlinkSync('..data/github', join(folder, 'github'));
    write('broken', 'canary-broken');
    secrets.learnAll();
    expect(redactor.text('canary-mounted canary-broken')).toBe('[redacted] [redacted]');
  });

  it('a folder that is not there is no error: most tentacles have no secret', () => {
    rmSync(folder, { recursive: true });
    expect(() => secrets.learnAll()).not.toThrow();
    mkdirSync(folder);
  });
});
