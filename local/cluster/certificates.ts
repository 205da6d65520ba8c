import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';
import type { Layout } from './layout.ts';
import type { Settings } from './settings.ts';
import { writeIfChanged } from './write-file.ts';

const CA_DAYS = 3650;
const LEAF_DAYS = 365;
/** A leaf that ends sooner is made anew at the next start. */
const RENEW_BEFORE_MS = 30 * 86_400_000;

export interface Leaf {
  readonly name: string;
  /** Distinguished name as openssl takes it: `/O=system:nodes/CN=system:node:x`. */
  readonly subject: string;
  readonly usage: 'serverAuth' | 'clientAuth';
  /** `DNS:…` and `IP:…`. */
  readonly alternativeNames?: readonly string[];
}

/** Certificates of every part, the way kubeadm lays them out, with one authority for all. */
export function leavesOf(settings: Settings): Leaf[] {
  const loopback = ['DNS:localhost', 'IP:127.0.0.1'];
  const service = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ];
  const server = (name: string, alternativeNames: readonly string[]): Leaf => ({
    name,
    subject: `/CN=${name}`,
    usage: 'serverAuth',
    alternativeNames,
  });
  const client = (name: string, subject: string): Leaf => ({ name, subject, usage: 'clientAuth' });
  return [
    server('apiserver', [
      ...service.map((name) => `DNS:${name}`),
      ...loopback,
      `IP:${settings.apiServiceIp}`,
      `IP:${settings.nodeIp}`,
    ]),
    server('etcd', loopback),
    // Health ports of controller-manager and scheduler.
    server('loopback', loopback),
    server('kubelet-server', [`DNS:${settings.nodeName}`, ...loopback, `IP:${settings.nodeIp}`]),
    client('apiserver-etcd', '/CN=apiserver-etcd'),
    client('apiserver-kubelet', '/O=system:masters/CN=apiserver-kubelet'),
    client('admin', '/O=system:masters/CN=admin'),
    client('kubelet', `/O=system:nodes/CN=system:node:${settings.nodeName}`),
    client('controller-manager', '/CN=system:kube-controller-manager'),
    client('scheduler', '/CN=system:kube-scheduler'),
    client('proxy', '/CN=system:kube-proxy'),
    client('calico', '/CN=tentacular-calico'),
  ];
}

/** Users that get a kubeconfig. */
const kubeconfigUsers = ['admin', 'kubelet', 'controller-manager', 'scheduler', 'proxy', 'calico'] as const;

/** Makes what is missing, ended, or made for other names; what is right stays as it is. */
export async function ensureCertificates(settings: Settings, layout: Layout): Promise<void> {
  await mkdir(layout.pki, { recursive: true, mode: 0o700 });
  await ensureAuthority(layout);
  const authority = await readFile(join(layout.pki, 'ca.crt'), 'utf8');
  await Promise.all(leavesOf(settings).map((leaf) => ensureLeaf(leaf, authority, layout)));
  await ensureServiceAccountKey(layout);
  for (const user of kubeconfigUsers) await writeKubeconfig(user, authority, settings, layout);
}

async function ensureAuthority(layout: Layout): Promise<void> {
  if (await isPair(layout, 'ca')) return;
  await openssl(layout, 'ca', CA_DAYS, [
    ...['-subj', '/CN=tentacular-local-ca', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    ...['-addext', 'basicConstraints=critical,CA:TRUE'],
  ]);
}

async function ensureLeaf(leaf: Leaf, authority: string, layout: Layout): Promise<void> {
  const stamp = createHash('sha256').update(JSON.stringify(leaf)).update(authority).digest('hex');
  const stampPath = join(layout.pki, `${leaf.name}.made-for`);
  const made = await readFile(stampPath, 'utf8').catch(() => '');
  if (made === stamp && (await isPair(layout, leaf.name))) return;
  const names = leaf.alternativeNames ?? [];
  await openssl(layout, leaf.name, LEAF_DAYS, [
    ...['-CA', join(layout.pki, 'ca.crt'), '-CAkey', join(layout.pki, 'ca.key'), '-subj', leaf.subject],
    ...['-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'keyUsage=critical,digitalSignature'],
    ...['-addext', `extendedKeyUsage=${leaf.usage}`],
    ...(names.length > 0 ? ['-addext', `subjectAltName=${names.join(',')}`] : []),
  ]);
  await writeIfChanged(stampPath, stamp);
}

async function openssl(layout: Layout, name: string, days: number, args: readonly string[]): Promise<void> {
  const path = join(layout.pki, name);
  await runCommand('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', String(days)],
    ...['-keyout', `${path}.key.part`, '-out', `${path}.crt.part`],
    ...args,
  ]);
  await rename(`${path}.key.part`, `${path}.key`);
  await rename(`${path}.crt.part`, `${path}.crt`);
}

/** Whether certificate and key are there, belong together, and have more than a month to go. */
async function isPair(layout: Layout, name: string): Promise<boolean> {
  try {
    const certificate = new X509Certificate(await readFile(join(layout.pki, `${name}.crt`)));
    const key = createPrivateKey(await readFile(join(layout.pki, `${name}.key`)));
    return certificate.checkPrivateKey(key) && Date.parse(certificate.validTo) - Date.now() > RENEW_BEFORE_MS;
  } catch {
    // Missing or torn: made anew.
    return false;
  }
}

async function ensureServiceAccountKey(layout: Layout): Promise<void> {
  const key = join(layout.pki, 'sa.key');
  const isThere = await readFile(key).then(
    (bytes) => bytes.byteLength > 0,
    () => false,
  );
  if (!isThere) {
    await runCommand('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${key}.part`]);
    await rename(`${key}.part`, key);
  }
  const publicKey = await runCommand('openssl', ['pkey', '-in', key, '-pubout']);
  await writeIfChanged(join(layout.pki, 'sa.pub'), publicKey);
}

async function writeKubeconfig(user: string, authority: string, settings: Settings, layout: Layout): Promise<void> {
  const read = (file: string) => readFile(join(layout.pki, file));
  const base64 = (bytes: Buffer) => bytes.toString('base64');
  const name = settings.instance;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server: `https://127.0.0.1:${settings.ports.api}`,
          'certificate-authority-data': Buffer.from(authority).toString('base64'),
        },
      },
    ],
    users: [
      {
        name: `${name}-${user}`,
        user: {
          'client-certificate-data': base64(await read(`${user}.crt`)),
          'client-key-data': base64(await read(`${user}.key`)),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: `${name}-${user}` } }],
    'current-context': name,
  };
  // JSON is YAML: every reader of a kubeconfig takes it.
  const text = `${JSON.stringify(config, null, 2)}\n`;
  await writeIfChanged(join(layout.pki, `${user}.kubeconfig`), text, 0o600);
  if (user === 'admin') await writeIfChanged(layout.kubeconfig, text, 0o600);
}
