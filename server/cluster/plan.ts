import { annotationPrefix } from '../../constructs/model/annotations.ts';
import { TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { RenderedTentacle } from '../../constructs/source.ts';
import { digestOf } from './digest.ts';
import { objectKey } from './kinds.ts';
import type { LiveSet } from './live-set.ts';
import { describeSecretPatch, type SecretPatch } from './secret.ts';

/**
 * Digest over the source and each live object's uid, generation, labels and our annotations; where there is no
 * generation, over its data. Never over resourceVersion or status, which move by themselves, and never over the
 * values of a Secret: times of its writes stand for them.
 */
export function planDigest(rendered: RenderedTentacle, live: LiveSet, secrets: SecretPatch): string {
  const objects = [...live.objects.values()].map(objectState);
  objects.sort((a, b) => (String(a.key) < String(b.key) ? -1 : 1));
  return digestOf({
    source: rendered.sourceHash,
    spec: rendered.specHash,
    secrets: describeSecretPatch(rendered, live.secret, secrets),
    objects,
  });
}

function objectState(object: Manifest): JsonObject {
  const { uid, generation, labels = {}, annotations = {} } = object.metadata;
  const own = Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith(annotationPrefix)));
  return {
    key: objectKey(object),
    uid: uid ?? '',
    state: generation ?? contentState(object),
    labels,
    annotations: own,
  };
}

function contentState(object: Manifest): JsonValue {
  if (object.kind === 'Secret') {
    const entries = object.metadata.managedFields;
    const written = (Array.isArray(entries) ? entries : []).filter(isJsonObject);
    return written.map((entry) => `${entry.manager} ${entry.operation} ${entry.time}`);
  }
  const { metadata: _metadata, status: _status, ...content } = object;
  return digestOf(content as JsonObject);
}

/** Refuses a plan that was made of another source or of another state of the cluster. */
export function checkPlan(plan: string | undefined, actual: string): void {
  if (plan === undefined || plan === actual) return;
  throw new TentacularError(
    'stale_plan',
    'The plan no longer holds: the source or the live objects have changed since wf_diff',
    {
      hint: 'Run wf_diff again, look at it, and apply with the new plan.',
    },
  );
}
