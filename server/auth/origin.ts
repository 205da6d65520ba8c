/** Who may call from a browser, and under which name. Hosts without port, lower case. */
export interface OriginRules {
  /** Host of the public URL, where one is configured. */
  readonly externalHost?: string;
  readonly allowedOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
}

const localHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Why a request is refused as cross-site or DNS rebinding, or undefined. A request without `Origin` does not come
 * from a browser's page: any `Host` goes, since node addresses and load balancer names cannot be known beforehand.
 */
export function originRefusal(
  origin: string | undefined,
  host: string | undefined,
  rules: OriginRules,
): string | undefined {
  if (origin === undefined) return undefined;
  const originHost = hostOfOrigin(origin);
  if (originHost === undefined) return 'Origin is not an http(s) origin';
  const allowedOrigin =
    localHosts.has(originHost) ||
    originHost === rules.externalHost ||
    rules.allowedOrigins.some((allowed) => allowed === originHost || allowed === origin.toLowerCase());
  if (!allowedOrigin) return 'Origin is not allowed';
  const hostName = host === undefined ? undefined : hostOfOrigin(`http://${host}`);
  if (hostName === undefined) return 'Host is missing or malformed';
  const allowedHost =
    localHosts.has(hostName) || hostName === rules.externalHost || rules.allowedHosts.includes(hostName);
  return allowedHost ? undefined : 'Host is not allowed for a request with Origin';
}

/** True for what can equal a host as it is compared above: in lower case, no port, no pattern; IPv6 in brackets. */
export function isHostRule(text: string): boolean {
  return !text.includes('*') && hostOfOrigin(`http://${text}`) === text;
}

/** True for a host, or a whole origin as browsers send it. */
export function isOriginRule(text: string): boolean {
  const host = hostOfOrigin(text);
  return isHostRule(text) || (host !== undefined && isHostRule(host) && new URL(text).origin === text);
}

function hostOfOrigin(origin: string): string | undefined {
  if (!URL.canParse(origin)) return undefined;
  const url = new URL(origin);
  const plain = url.pathname === '/' && url.search === '' && url.username === '' && url.password === '';
  return plain && (url.protocol === 'http:' || url.protocol === 'https:') ? url.hostname.toLowerCase() : undefined;
}
