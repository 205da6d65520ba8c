/** What every client asks for: who the caller is. Nothing here grants a right. */
const baseScopes = ['openid', 'email', 'profile'];

/** OAuth 2.0 Protected Resource Metadata (RFC 9728): how a client that knows only the URL finds the issuer. */
export interface Discovery {
  readonly metadataUrl: string;
  readonly document: {
    readonly resource: string;
    readonly authorization_servers: readonly string[];
    readonly scopes_supported: readonly string[];
    readonly bearer_methods_supported: readonly string[];
    readonly resource_name: string;
  };
}

/** Where the document is: with the path of the resource (RFC 9728, 3.1), and without it for clients that try that. */
export const discoveryPaths = [
  '/.well-known/oauth-protected-resource/mcp',
  '/.well-known/oauth-protected-resource',
] as const;

/** The resource that tokens are meant for, unless another audience is configured. */
export function resourceOf(externalUrl: string): string {
  return `${externalUrl}/mcp`;
}

/** `externalUrl`: where the server is, without /mcp and without a slash at its end. */
export function discoveryOf(externalUrl: string, issuer: string): Discovery {
  return {
    metadataUrl: `${externalUrl}${discoveryPaths[0]}`,
    document: {
      resource: resourceOf(externalUrl),
      authorization_servers: [issuer],
      scopes_supported: baseScopes,
      bearer_methods_supported: ['header'],
      resource_name: 'Tentacular MCP Server',
    },
  };
}

/**
 * Value of `WWW-Authenticate` (RFC 6750, 3; RFC 9728, 5.1). `error` only where credentials were sent. A client that
 * lacks scopes is told those that it needs together with the base ones, or it would come back without the latter.
 */
export function challenge(
  discovery: Discovery | undefined,
  refusal?:
    | { readonly error: 'invalid_token' }
    | { readonly error: 'insufficient_scope'; readonly scopes: readonly string[] },
): string {
  const lacking = refusal?.error === 'insufficient_scope' ? refusal.scopes : [];
  const scope = `scope="${[...new Set([...baseScopes, ...lacking])].join(' ')}"`;
  const parts = [
    discovery === undefined ? 'realm="tentacular"' : `resource_metadata="${discovery.metadataUrl}"`,
    ...(discovery !== undefined || lacking.length > 0 ? [scope] : []),
    ...(refusal ? [`error="${refusal.error}"`] : []),
  ];
  return `Bearer ${parts.join(', ')}`;
}
