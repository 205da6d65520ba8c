import type { Principal } from '../../constructs/model/principal.ts';

/**
 * What one way of proving who is calling says about one credential.
 * `unknown`: not mine, ask the next; `refused`: mine, and not valid, where `reason` completes "the token …" and holds
 * nothing of it, and `wasGood` says that it once let in: no attempt at a guess; `unavailable`: cannot be judged now.
 */
export type Verdict =
  | {
      readonly kind: 'accepted';
      readonly principal: Principal;
      /** Scopes that were granted; absent where the credential knows none, and then none is asked of it. */
      readonly scopes?: readonly string[];
    }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused'; readonly reason: string; readonly wasGood?: true }
  | { readonly kind: 'unavailable'; readonly retryAfterSeconds: number };

/** One way of proving who is calling. Judges only, answers nothing. */
export interface Authenticator {
  readonly name: string;
  judge(credential: string): Promise<Verdict>;
}

/** Longest credential that is looked at, in characters. */
export const maxCredentialLength = 16_384;

/** The credential of an `Authorization: Bearer …` header; undefined where there is none or it is of another scheme. */
export function bearerCredential(header: string | undefined): string | undefined {
  const match = /^Bearer +([^\s]+) *$/i.exec(header ?? '');
  return match?.[1];
}

/** Asks each authenticator in turn; the first that knows the credential decides. */
export async function authenticate(
  authenticators: readonly Authenticator[],
  credential: string,
): Promise<Exclude<Verdict, { kind: 'unknown' }>> {
  if (credential.length > maxCredentialLength) return { kind: 'refused', reason: 'is too long' };
  for (const authenticator of authenticators) {
    const verdict = await authenticator.judge(credential);
    if (verdict.kind !== 'unknown') return verdict;
  }
  return { kind: 'refused', reason: 'is not known here' };
}
