import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boundFetch } from '../../../engine/context/bound-fetch.ts';
import { httpServer, type TestServer } from '../support/http-server.ts';

let api: TestServer;
let elsewhere: TestServer;
let controller: AbortController;
let fetchApi: ReturnType<typeof boundFetch>;

beforeEach(async () => {
  elsewhere = await httpServer();
  api = await httpServer(({ path }, response) => {
    if (path === '/never') return;
    const redirect = /^\/redirect\/(\d+)\?to=(.*)$/.exec(path);
    if (redirect) response.writeHead(Number(redirect[1]), { location: decodeURIComponent(redirect[2] ?? '') });
    response.end('ok');
  });
  controller = new AbortController();
  fetchApi = boundFetch({
    dependency: 'api',
    origin: `http://127.0.0.1:${api.port}`,
    signal: controller.signal,
    headers: [['authorization', 'Bearer canary']],
    fetch: globalThis.fetch,
  });
});
afterEach(async () => {
  controller.abort();
  await Promise.all([api.close(), elsewhere.close()]);
});

const redirectTo = (status: number, location: string) => `/redirect/${status}?to=${encodeURIComponent(location)}`;

describe('what is sent', () => {
  it('a path goes to the host of the dependency, with its credentials and the headers of the call', async () => {
    const response = await fetchApi('/v1/items?x=1', { method: 'POST', body: 'hi', headers: { 'x-mine': '1' } });
    expect(await response.text()).toBe('ok');
    expect(api.seen).toMatchObject([
      { method: 'POST', path: '/v1/items?x=1', body: 'hi', headers: { authorization: 'Bearer canary', 'x-mine': '1' } },
    ]);
  });

  it('a full URL of the same origin is fine', async () => {
    expect((await fetchApi(new URL(`http://127.0.0.1:${api.port}/a`))).status).toBe(200);
  });

  it('a header that the node sets itself is left alone', async () => {
    await fetchApi('/', { headers: { Authorization: 'Bearer mine' } });
    expect(api.seen[0]?.headers.authorization).toBe('Bearer mine');
  });
});

describe('another origin is refused before a byte leaves', () => {
  it.each([
    ['another port', () => `http://127.0.0.1:${elsewhere.port}/`],
    ['another host', () => `http://localhost:${api.port}/`],
    ['another scheme', () => `https://127.0.0.1:${api.port}/`],
    ['a host without a scheme', () => `//127.0.0.1:${elsewhere.port}/`],
    ['backslashes', () => `\\\\127.0.0.1:${elsewhere.port}\\`],
    ['user information', () => `http://user:pass@127.0.0.1:${api.port}/`],
    ['a file', () => 'file:///etc/passwd'],
    ['a data URL', () => 'data:text/plain,hi'],
  ])('%s', async (_what, url) => {
    await expect(fetchApi(url())).rejects.toThrow(
      /^dependency api is http:\/\/127\.0\.0\.1:\d+; a request or redirect/,
    );
    expect([...api.seen, ...elsewhere.seen]).toEqual([]);
  });
});

describe('redirects', () => {
  it('within the origin are followed, with the credentials', async () => {
    expect(await (await fetchApi(redirectTo(302, '/target'))).text()).toBe('ok');
    expect(api.seen.map(({ path, headers }) => [path.split('?')[0], headers.authorization])).toEqual([
      ['/redirect/302', 'Bearer canary'],
      ['/target', 'Bearer canary'],
    ]);
  });

  it.each([301, 302, 303, 307, 308])('%i to another origin is refused: the credentials stay', async (status) => {
    await expect(fetchApi(redirectTo(status, `http://127.0.0.1:${elsewhere.port}/steal`))).rejects.toThrow(
      'is refused',
    );
    expect(elsewhere.seen).toEqual([]);
  });

  it('a POST becomes a GET after 303, and stays a POST with its body after 307', async () => {
    await fetchApi(redirectTo(303, '/got'), {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    await fetchApi(redirectTo(307, '/posted'), { method: 'POST', body: 'again' });
    const targets = api.seen.filter(({ path }) => !path.startsWith('/redirect'));
    expect(targets).toMatchObject([
      { method: 'GET', path: '/got', body: '' },
      { method: 'POST', path: '/posted', body: 'again' },
    ]);
    expect(targets[0]?.headers['content-type']).toBeUndefined();
  });

  it('end after five', async () => {
    // An empty location is the URL itself.
    await expect(fetchApi(redirectTo(302, '?to=%3Fto%3D'))).rejects.toThrow(
      'dependency api redirected more than 5 times',
    );
    expect(api.seen).toHaveLength(6);
  });

  it('are left to the node where it asks for that', async () => {
    const response = await fetchApi(redirectTo(302, '/x'), { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([302, '/x']);
    await expect(fetchApi(redirectTo(302, '/x'), { redirect: 'error' })).rejects.toThrow('answered with a redirect');
  });
});

describe('signals', () => {
  it('the end of the attempt ends the request', async () => {
    const pending = fetchApi('/never');
    controller.abort();
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('a signal of the node itself works beside it', async () => {
    const own = new AbortController();
    const pending = fetchApi('/never', { signal: own.signal });
    own.abort();
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
  });
});
