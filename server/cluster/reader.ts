import type { Manifest } from '../../constructs/model/manifest.ts';
import type { CallOptions } from './call.ts';

export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface ListQuery {
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly fields?: Readonly<Record<string, string>>;
  /** Only `metadata` of each object (cheap where data is large). Default false. */
  readonly metadataOnly?: boolean;
  /** Objects in a page. Default 500. */
  readonly pageSize?: number;
  /** Most objects over all pages; more is `cluster_error`. Default 20 000. */
  readonly maxItems?: number;
}

/** Live reads of the Kubernetes API. */
export interface Reader {
  /** The object, or undefined where there is none. */
  get(ref: ObjectRef, options?: CallOptions): Promise<Manifest | undefined>;
  /** Every object that matches, page by page. */
  list(query: ListQuery, options?: CallOptions): Promise<Manifest[]>;
  /** `gitVersion` and the rest of `/version`. */
  version(options?: CallOptions): Promise<{ readonly gitVersion: string; readonly platform: string }>;
}
