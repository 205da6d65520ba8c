import { access, readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isJsonObject } from '../../constructs/model/json.ts';
import type { Layout } from './layout.ts';
import type { ClusterOptions, Ports, Settings } from './settings.ts';
import { writeIfChanged } from './write-file.ts';

/** Who started the cluster, and with what; kept in its state folder. */
export interface ClusterRecord {
  /** Folder of the checkout whose command started it. */
  readonly checkout: string;
  readonly user: string;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly outside: boolean;
  readonly ports: Ports;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly nodeCidr: string;
}

/** Folder of the checkout that this code belongs to. */
const ownCheckout = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

export function newRecord(settings: Settings, now: () => Date = () => new Date()): ClusterRecord {
  const { outside, ports, podCidr, serviceCidr, nodeCidr } = settings;
  const user = process.env.SUDO_USER ?? userInfo().username;
  return {
    checkout: ownCheckout,
    user,
    startedAt: now().toISOString(),
    outside,
    ports,
    podCidr,
    serviceCidr,
    nodeCidr,
  };
}

/** `undefined` where there is none, or a torn one. */
export async function readClusterRecord(layout: Layout): Promise<ClusterRecord | undefined> {
  const text = await readFile(layout.record, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isClusterRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export async function writeClusterRecord(layout: Layout, record: ClusterRecord): Promise<void> {
  await writeIfChanged(layout.record, `${JSON.stringify(record, null, 2)}\n`);
}

/** What a recorded cluster contributes to the settings of the next command. `outside` is asked for anew each time. */
export function storedOptions(record: ClusterRecord | undefined): ClusterOptions {
  if (!record) return {};
  const { ports, podCidr, serviceCidr, nodeCidr } = record;
  return { ports, podCidr, serviceCidr, nodeCidr };
}

/** Whether the cluster belongs to another checkout that is still there. */
export async function isForeign(record: ClusterRecord | undefined): Promise<boolean> {
  if (record === undefined || record.checkout === ownCheckout) return false;
  return access(record.checkout).then(
    () => true,
    () => false,
  );
}

function isClusterRecord(value: unknown): value is ClusterRecord {
  return (
    isJsonObject(value) &&
    ['checkout', 'user', 'startedAt', 'podCidr', 'serviceCidr', 'nodeCidr'].every(
      (key) => typeof value[key] === 'string',
    ) &&
    isJsonObject(value.ports)
  );
}
