/** Redirects followed within the same origin. */
const maxRedirects = 5;

const bodyHeaders = ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length'];

export interface BoundFetchOptions {
  readonly dependency: string;
  /** `https://api.example.com:8443` */
  readonly origin: string;
  /** Aborts with the node. */
  readonly signal: AbortSignal;
  /** Added unless the request names them itself. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly fetch: typeof globalThis.fetch;
}

/**
 * `fetch` that speaks to one origin only: it is what carries the credentials, so neither a path, an absolute URL nor a
 * redirect takes it elsewhere.
 * @throws Error (rejects) where the URL or a redirect leaves the origin, or there are more than 5 redirects
 */
export function boundFetch(options: BoundFetchOptions): (path: string | URL, init?: RequestInit) => Promise<Response> {
  const base = new URL(options.origin);
  return async (path, init = {}) => {
    let url = within(options.dependency, base, path);
    let request = prepared(options, init);
    for (let redirects = 0; ; redirects++) {
      const response = await options.fetch(url, { ...request, redirect: 'manual' });
      const location = response.headers.get('location');
      if (!isRedirect(response.status) || location === null || init.redirect === 'manual') return response;
      await response.body?.cancel();
      if (init.redirect === 'error') throw new Error(`dependency ${options.dependency} answered with a redirect`);
      if (redirects === maxRedirects) {
        throw new Error(`dependency ${options.dependency} redirected more than ${maxRedirects} times`);
      }
      url = within(options.dependency, base, new URL(location, url));
      request = redirectedRequest(options.dependency, request, response.status);
    }
  };
}

function within(dependency: string, base: URL, path: string | URL): URL {
  const url = new URL(path, base);
  if (url.origin !== base.origin || url.username !== '' || url.password !== '') {
    throw new Error(
      `dependency ${dependency} is ${base.origin}; a request or redirect to ${url.origin} is refused: ` +
        'name that host as a dependency of its own in the contract',
    );
  }
  return url;
}

function prepared(options: BoundFetchOptions, init: RequestInit): RequestInit {
  const headers = new Headers(init.headers);
  for (const [name, value] of options.headers) {
    if (!headers.has(name)) headers.set(name, value);
  }
  const signal = init.signal ? AbortSignal.any([options.signal, init.signal]) : options.signal;
  return { ...init, headers, signal };
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** What the Fetch standard makes of a request when it is redirected (section HTTP-redirect fetch). */
function redirectedRequest(dependency: string, request: RequestInit, status: number): RequestInit {
  const method = (request.method ?? 'GET').toUpperCase();
  const becomesGet = status === 303 ? method !== 'GET' && method !== 'HEAD' : status < 303 && method === 'POST';
  if (becomesGet) {
    const { body: _, ...rest } = request;
    const headers = new Headers(request.headers);
    for (const name of bodyHeaders) headers.delete(name);
    return { ...rest, method: 'GET', headers };
  }
  if (request.body instanceof ReadableStream) {
    throw new Error(`dependency ${dependency} redirected a request whose body is a stream and cannot be sent again`);
  }
  return request;
}
