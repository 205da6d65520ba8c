import type { JsonValue } from '../../constructs/model/json.ts';

/**
 * A field that somebody else owns and holds at another value. Answered as data, never forced silently:
 * the caller chooses `take` (ours wins) or `keep` (theirs stays and we stop claiming the field).
 */
export interface FieldConflict {
  /** `Kind/namespace/name`. */
  readonly object: string;
  /** Path as the API server writes it: `.spec.template.spec.containers[name="engine"].image`. */
  readonly field: string;
  /** Name of the field manager that owns it now, e.g. `kubectl-edit`. */
  readonly owner: string;
  /** The value that we want; absent where the field is of a Secret, or where we want it gone. */
  readonly ours?: JsonValue;
  /** The live value; absent where the field is of a Secret. */
  readonly theirs?: JsonValue;
}
