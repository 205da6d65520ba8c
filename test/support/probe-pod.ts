import { eventually } from './eventually.ts';
import type { Kube } from './kube.ts';

export interface ProbePodOptions {
  readonly namespace: string;
  readonly name: string;
  /** Engine image: has Deno, which here runs without any of its own limits. */
  readonly image: string;
  readonly labels?: Record<string, string>;
  /** `http://…` is fetched, `tcp://host:port` is dialled. */
  readonly urls: readonly string[];
}

/** By URL: `open` (something answered) or `closed: <why>`, which nobody did in eight seconds: until the rules for a new pod are written, what it sends is lost. */
export type Reachability = Record<string, string>;

const script = (urls: readonly string[]) => `
const found = {};
const deadline = performance.now() + 8000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
await Promise.all(${JSON.stringify(urls)}.map(async (url) => {
  const target = new URL(url.replace(/^tcp:/, 'http:'));
  const port = Number(target.port || 80);
  do {
    const timer = pause(2000).then(() => { throw new Error('no answer in 2 s'); });
    try {
      const conn = await Promise.race([Deno.connect({ hostname: target.hostname, port }), timer]);
      conn.close();
      found[url] = 'open';
      return;
    } catch (error) { found[url] = 'closed: ' + error.message; }
    await pause(250);
  } while (performance.now() < deadline);
}));
console.log('RESULT ' + JSON.stringify(found));
Deno.exit(0);
`;

/**
 * Dials from inside a restricted pod of that namespace and with those labels: what the network alone lets through,
 * without the engine's own permission flags.
 */
export async function probeFromPod(kube: Kube, options: ProbePodOptions): Promise<Reachability> {
  const { namespace, name, image, labels = {}, urls } = options;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65534,
        runAsGroup: 65534,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'probe',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['deno', 'eval', script(urls)],
          env: [
            { name: 'DENO_DIR', value: '/tmp/deno' },
            { name: 'HOME', value: '/tmp' },
          ],
          volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
      volumes: [{ name: 'tmp', emptyDir: {} }],
    },
  };
  await kube.apply([pod]);
  try {
    const logs = await eventually(
      `the probe ${name} has a result`,
      () => kube.kubectl(['logs', name, '-n', namespace]),
      { done: (text) => text.includes('RESULT ') },
    );
    return JSON.parse(logs.slice(logs.indexOf('RESULT ') + 7).split('\n')[0] ?? '{}') as Reachability;
  } finally {
    await kube.kubectl(['delete', 'pod', name, '-n', namespace, '--grace-period=0', '--force', '--ignore-not-found']);
  }
}
