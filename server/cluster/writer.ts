import type { JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { CallOptions } from './call.ts';

export interface WriteOptions extends CallOptions {
  readonly dryRun?: boolean;
  /** Takes fields that others own; only where a caller has chosen `take`. */
  readonly force?: boolean;
}

/**
 * Writes with the guard inside: only kinds that we render, only objects with our label, only in namespaces that
 * are enclaves. There is no unguarded writer outside this folder.
 */
export interface Writer {
  /** POST. `conflict` if something of that name exists. */
  create(manifest: Manifest, options?: WriteOptions): Promise<Manifest>;
  /** Server-side apply; refused without `metadata.resourceVersion` ("1" = must not exist, else that of the live object). */
  apply(manifest: Manifest, options?: WriteOptions): Promise<Manifest>;
  /**
   * Server-side apply of a few fields of a live object of ours under a field manager of their own, pinned to its
   * uid and resourceVersion, so that the next whole apply does not take them away.
   */
  applyFields(live: Manifest, fields: JsonObject, manager: string, options?: WriteOptions): Promise<Manifest>;
  /** Deletes exactly this object (by uid). False where it was gone already. */
  delete(live: Manifest, options?: WriteOptions): Promise<boolean>;
}
