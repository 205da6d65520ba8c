/** One event, newest first in lists. `message` is untrusted text, sanitized and capped. */
export interface EventInfo {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  /** `Kind/name` of the object that it is about. */
  readonly object: string;
  readonly count: number;
  /** ISO 8601. */
  readonly firstSeen: string;
  readonly lastSeen: string;
}
