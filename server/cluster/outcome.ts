import type { Manifest } from '../../constructs/model/manifest.ts';
import { describeObject } from '../../constructs/model/manifest.ts';

/** What became of one object; `skipped` where an earlier failure or a choice left it alone. */
export type Outcome = 'created' | 'configured' | 'unchanged' | 'deleted' | 'skipped';

export interface ObjectOutcome {
  /** `Kind/namespace/name`. */
  readonly object: string;
  readonly kind: string;
  readonly name: string;
  readonly outcome: Outcome;
}

export function outcomeOf(object: Pick<Manifest, 'kind' | 'metadata'>, outcome: Outcome): ObjectOutcome {
  return { object: describeObject(object), kind: object.kind, name: object.metadata.name, outcome };
}
