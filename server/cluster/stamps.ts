import { annotationKeys, applyStampAnnotations, createOnlyAnnotations } from '../../constructs/model/annotations.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';

/** Who and when: what rendering must not know and what is stamped on the Deployment just before the write. */
export interface ApplyStamps {
  /** ISO 8601 in UTC. Default: the cluster's clock. */
  readonly at?: string;
  /** Only used where the Deployment does not exist yet; an update copies what is live. Absent = no owner (bearer). */
  readonly owner?: { readonly sub?: string; readonly email?: string; readonly name?: string };
  /** `keycloak`, `oidc` or `bearer-token`; on creation only. */
  readonly authProvider?: string;
  /** Mode of a new tentacle, nine characters; on creation only. */
  readonly mode?: string;
  /** `deployed-by`: e-mail, client id or `bearer-token`. */
  readonly deployedBy?: string;
  /** `deployed-via`: client name and version, e.g. `claude-code/2.1`. */
  readonly deployedVia?: string;
  readonly updatedBySub?: string;
  readonly updatedByEmail?: string;
}

/** Stamps of an enclave's Namespace. */
export interface EnclaveStamps {
  /** ISO 8601 in UTC. Default: the cluster's clock. */
  readonly at?: string;
  readonly updatedBySub?: string;
  readonly updatedByEmail?: string;
}

/** Annotations that are stamped on and therefore no part of a comparison of rendered with live. */
export const stampAnnotations: ReadonlySet<string> = new Set([
  ...createOnlyAnnotations,
  ...applyStampAnnotations,
  annotationKeys.revision,
]);

type Annotations = Record<string, string>;

function present(values: Readonly<Record<string, string | undefined>>): Annotations {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value ? [[key, value]] : [])));
}

function createStamps(stamps: ApplyStamps, at: string): Annotations {
  return present({
    [annotationKeys.ownerSub]: stamps.owner?.sub,
    [annotationKeys.ownerEmail]: stamps.owner?.email,
    [annotationKeys.ownerName]: stamps.owner?.name,
    [annotationKeys.authProvider]: stamps.authProvider,
    [annotationKeys.mode]: stamps.mode,
    [annotationKeys.createdAt]: at,
  });
}

function pick(annotations: Annotations | undefined, keys: Iterable<string>): Annotations {
  return present(Object.fromEntries([...keys].map((key) => [key, annotations?.[key]])));
}

function annotated(object: Manifest, annotations: Annotations): Manifest {
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/**
 * The Deployment as it is written: who, when and which revision added. What is set at creation only is copied from
 * the live object, since server-side apply would delete what it no longer sends; what that object lacks stays away,
 * also where the set names it (a mode out of Git), or an update would change whose the tentacle is and who may what.
 */
export function stampDeployment(
  rendered: Manifest,
  live: Manifest | undefined,
  options: { readonly stamps: ApplyStamps; readonly at: string; readonly revision: number },
): Manifest {
  const { stamps, at, revision } = options;
  const first = live ? pick(live.metadata.annotations, createOnlyAnnotations) : createStamps(stamps, at);
  const own = Object.entries(rendered.metadata.annotations ?? {});
  return annotated(rendered, {
    ...Object.fromEntries(live ? own.filter(([key]) => !createOnlyAnnotations.includes(key)) : own),
    ...first,
    ...present({
      [annotationKeys.deployedBy]: stamps.deployedBy,
      [annotationKeys.deployedVia]: stamps.deployedVia,
      [annotationKeys.deployedAt]: at,
      [annotationKeys.updatedAt]: at,
      [annotationKeys.updatedBySub]: stamps.updatedBySub,
      [annotationKeys.updatedByEmail]: stamps.updatedByEmail,
      [annotationKeys.revision]: String(revision),
    }),
  });
}

/** A rendered object with the live one's stamps, so that a dry run changes nothing but what was rendered anew. */
export function withLiveStamps(rendered: Manifest, live: Manifest): Manifest {
  const kept = pick(live.metadata.annotations, stampAnnotations);
  if (Object.keys(kept).length === 0) return rendered;
  return annotated(rendered, { ...rendered.metadata.annotations, ...kept });
}

/** The Namespace of a new enclave with its time and author. */
export function stampNamespace(rendered: Manifest, stamps: EnclaveStamps, at: string): Manifest {
  return annotated(rendered, {
    ...rendered.metadata.annotations,
    ...present({
      [annotationKeys.createdAt]: at,
      [annotationKeys.updatedAt]: at,
      [annotationKeys.updatedBySub]: stamps.updatedBySub,
      [annotationKeys.updatedByEmail]: stamps.updatedByEmail,
    }),
  });
}

/** The revision that a Deployment carries; 0 where there is none. */
export function revisionOf(deployment: Manifest | undefined): number {
  const text = deployment?.metadata.annotations?.[annotationKeys.revision] ?? '';
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
}
