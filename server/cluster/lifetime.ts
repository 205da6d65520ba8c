import type { Manifest } from '../../constructs/model/manifest.ts';

/**
 * True for what came to be since a Deployment did: its pods, and the runs in them. Pods drain for minutes after their
 * Deployment was removed, and carry the labels of the next one of that name: of them nothing is to be told there. What
 * tells no time is taken for its own.
 */
export function isSince(time: string | undefined, deployment: Manifest): boolean {
  const at = Date.parse(time ?? '');
  const made = Date.parse(deployment.metadata.creationTimestamp ?? '');
  return Number.isNaN(at) || Number.isNaN(made) || at >= made;
}
