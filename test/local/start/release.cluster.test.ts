import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { ensureRelease, type Release } from '../../../local/start/release.ts';
import { eventually } from '../../support/eventually.ts';
import { createKube } from '../../support/kube.ts';

// The harm: a start that was interrupted leaves a release that Helm refuses to touch ever after.
const kube = createKube(inject('kubectl'), inject('kubeconfig'));
const namespace = `release-${Date.now().toString(36)}`;
const folder = mkdtempSync(join(tmpdir(), 'tentacular-release-'));
const release: Release = {
  helm: inject('helm'),
  kubeconfig: inject('kubeconfig'),
  name: 'probe',
  namespace,
  chart: join(folder, 'chart'),
};

/** A ConfigMap, and with `stuck` a hook that never ends before it. */
const templates = {
  'map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: probe}\ndata: {said: {{ .Values.said | quote }}}\n',
  'hook.yaml': [
    '{{- if .Values.stuck }}',
    'apiVersion: v1',
    'kind: Pod',
    'metadata: {name: stuck, annotations: {helm.sh/hook: "pre-install,pre-upgrade"}}',
    'spec: {containers: [{name: none, image: localhost/there-is-no-such-image:1, imagePullPolicy: Never}]}',
    '{{- end }}',
    '',
  ].join('\n'),
};

beforeAll(async () => {
  await kube.makeNamespace(namespace);
  mkdirSync(join(release.chart, 'templates'), { recursive: true });
  writeFileSync(join(release.chart, 'Chart.yaml'), 'apiVersion: v2\nname: probe\nversion: 0.1.0\n');
  for (const [name, text] of Object.entries(templates)) writeFileSync(join(release.chart, 'templates', name), text);
});
afterAll(async () => {
  await kube.remove('namespace', namespace);
  rmSync(folder, { recursive: true, force: true });
});

const said = async () => (await kube.get('configmap', 'probe', namespace))?.data?.said;
const revisions = async () => (await kube.list('secrets', namespace, 'owner=helm')).length;

/** Starts Helm with a hook that never ends, and kills it as soon as the release is pending. */
async function interrupt(status: string): Promise<void> {
  const where = ['--namespace', namespace, '--create-namespace', '--kubeconfig', release.kubeconfig];
  const args = ['upgrade', release.name, release.chart, '--install', '--set', 'stuck=true,said=never', ...where];
  const child = spawn(release.helm, args, { stdio: 'ignore' });
  await eventually(`the release is ${status}`, () => kube.list('secrets', namespace, `owner=helm,status=${status}`), {
    done: (found) => found.length === 1,
  });
  child.kill('SIGKILL');
  await kube.remove('pod', 'stuck', namespace);
}

describe('bringing a release to a cluster', () => {
  const ensure = (values: JsonObject) => ensureRelease(release, values);

  it('an interrupted first install is taken away and made again', async () => {
    await interrupt('pending-install');
    expect(await ensure({ said: 'one' })).toBe('installed');
    expect(await said()).toBe('one');
  });

  it('nothing is written where neither chart nor values have changed', async () => {
    const before = await revisions();
    expect(await ensure({ said: 'one' })).toBe('unchanged');
    expect(await revisions()).toBe(before);
  });

  it('changed values are an upgrade, a changed chart too', async () => {
    expect(await ensure({ said: 'two' })).toBe('installed');
    expect(await said()).toBe('two');
    writeFileSync(join(release.chart, 'templates/map.yaml'), templates['map.yaml'].replace('.said', '.said | upper'));
    expect(await ensure({ said: 'two' })).toBe('installed');
    expect(await said()).toBe('TWO');
  });

  it('an interrupted upgrade is mended', async () => {
    await interrupt('pending-upgrade');
    expect(await ensure({ said: 'three' })).toBe('installed');
    expect(await said()).toBe('THREE');
  });

  it("what Helm refuses is told in Helm's own words", async () => {
    writeFileSync(join(release.chart, 'templates/map.yaml'), '{{ fail "said is missing" }}');
    await expect(ensure({ said: 'four' })).rejects.toThrow('said is missing');
  });
});
