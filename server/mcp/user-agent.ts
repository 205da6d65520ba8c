import type { Principal } from '../../constructs/model/principal.ts';

/** Longest caller that is told, in characters after escaping. */
const maxCaller = 192;

/**
 * User-Agent of every request to the Kubernetes API on behalf of one call, so that the API server's audit log names
 * the caller and can be joined with ours by the id: `tentacular/0.1.0 (caller=oidc:ada@example.com; call=<id>)`.
 * The right to act stays the server's own: nobody is impersonated.
 */
export function userAgentOf(call: {
  readonly version: string;
  readonly principal: Principal;
  readonly callId: string;
}): string {
  const caller = `${call.principal.kind}:${escaped(call.principal.name)}`.slice(0, maxCaller);
  return `tentacular/${call.version} (caller=${caller}; call=${escaped(call.callId)})`;
}

/** Percent-encoded UTF-8 of everything that could end a field, a comment or a header. */
function escaped(text: string): string {
  return text.replace(/[^A-Za-z0-9@._+:-]/gu, (character) =>
    Array.from(Buffer.from(character, 'utf8'), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(
      '',
    ),
  );
}
