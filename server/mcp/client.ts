import { CLIENT_INFO_META_KEY } from '@modelcontextprotocol/server';
import { isJsonObject } from '../../constructs/model/json.ts';
import type { ClientIdentity } from '../../constructs/model/principal.ts';

/** Longest name and version that are kept, in characters. */
const maxName = 96;
const maxVersion = 31;

/**
 * The client program of one request. In 2026-07-28 each request names it (`clientInfo` in `_meta`). In 2025-11-25 only
 * `initialize` does, which any replica may have answered, so there the first product of the User-Agent stands in
 * (RFC 9110, 10.1.5). Both say what they like: printable ASCII and bounded, for the record only.
 */
export function clientIdentity(meta: unknown, userAgent: string | null | undefined): ClientIdentity | undefined {
  const clientInfo = isJsonObject(meta) ? meta[CLIENT_INFO_META_KEY] : undefined;
  const named = isJsonObject(clientInfo) ? identity(clientInfo.name, clientInfo.version) : undefined;
  if (named) return named;
  const [name, version] = (userAgent ?? '').trim().split(/\s/, 1)[0]?.split('/') ?? [];
  return identity(name, version);
}

function identity(name: unknown, version: unknown): ClientIdentity | undefined {
  const cleanName = printable(name, maxName);
  return cleanName === '' ? undefined : { name: cleanName, version: printable(version, maxVersion) };
}

function printable(text: unknown, limit: number): string {
  if (typeof text !== 'string') return '';
  // Cut first: a header or a body may carry far more than is kept.
  return text
    .slice(0, limit)
    .replace(/[^\x20-\x7e]/g, '?')
    .trim();
}
