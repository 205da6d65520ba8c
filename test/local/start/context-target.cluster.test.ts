import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { BuiltImage } from '../../../local/images/ensure.ts';
import { contextTarget } from '../../../local/start/context-target.ts';

// The harm: a start that takes whatever context is current, which may be somebody's production.
const cacheDir = mkdtempSync(join(tmpdir(), 'tentacular-context-'));
const kubeconfig = inject('kubeconfig');
const env = { KUBECONFIG: kubeconfig };
let context: string;

beforeAll(() => {
  vi.stubEnv('KUBECONFIG', kubeconfig);
  vi.stubEnv('PATH', `${dirname(inject('kubectl'))}${delimiter}${process.env.PATH}`);
  context =
    execFileSync('kubectl', ['config', 'get-contexts', '-o', 'name'], { encoding: 'utf8' }).split('\n')[0] ?? '';
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(cacheDir, { recursive: true, force: true });
});

describe('a start in a context that is named', () => {
  it('works with a copy of that context alone, which nobody else may read', async () => {
    const target = await contextTarget(context, cacheDir, env);
    expect(target.kubeconfig.startsWith(cacheDir)).toBe(true);
    expect(statSync(target.kubeconfig).mode & 0o777).toBe(0o600);
    const copy = readFileSync(target.kubeconfig, 'utf8');
    expect(copy).toContain(`current-context: ${context}`);
    expect(copy.match(/^- context:/gm)).toHaveLength(1);
  });

  it('is refused where there is no such context, before anything else is done', async () => {
    await expect(contextTarget('no-such-context', cacheDir, env)).rejects.toThrow('no-such-context');
  });

  it('reaches the server through the API server, and stops doing so when it is closed', async () => {
    const reached = await (await contextTarget(context, cacheDir, env)).reach(inject('systemNamespace'));
    const ready = new URL('/readyz', reached.endpoint);
    expect((await fetch(ready)).status).toBe(200);
    expect(reached.keepOpen).toContain('port-forward');
    await reached.close();
    await expect(fetch(ready)).rejects.toThrow();
  });

  it('says how images get into a cluster that is neither kind nor k3d', async () => {
    const target = await contextTarget(context, cacheDir, env);
    const image = (tar: string): BuiltImage => ({ ref: 'localhost/x:1', digest: 'sha256:0', sizeBytes: 1, tar });
    const bring = target.bringIn({ server: image('s.tar'), engine: image('e.tar'), echo: image('o.tar') });
    await expect(bring).rejects.toMatchObject({ hint: expect.stringContaining('TENTACULAR_SERVER_IMAGE') });
  });

  it('takes images from a registry where all of them are named, and refuses some of them', async () => {
    const named = { TENTACULAR_SERVER_IMAGE: 'r/s:1', TENTACULAR_ENGINE_IMAGE: 'r/e:1' };
    await expect(contextTarget(context, cacheDir, { ...env, ...named })).rejects.toThrow('Only some of the images');
    const all = await contextTarget(context, cacheDir, { ...env, ...named, TENTACULAR_ECHO_IMAGE: 'r/o:1' });
    expect(all.givenImages).toEqual({ server: 'r/s:1', engine: 'r/e:1', echo: 'r/o:1' });
  });
});
