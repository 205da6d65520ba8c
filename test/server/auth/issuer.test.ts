import { describe, expect, it } from 'vitest';
import { keysOf } from '../../../server/auth/issuer.ts';
import type { JsonSource } from '../../../server/auth/json-source.ts';

const issuer = 'https://id.example.com/realms/tentacular';
const discovery = `${issuer}/.well-known/openid-configuration`;
const keys = { keys: [{ kty: 'EC' }] };

/** A network of documents; what is not in it does not answer. */
function network(documents: Record<string, unknown>): JsonSource {
  return {
    get: async (url) => {
      if (!(url in documents)) throw new Error(`${url} does not answer`);
      return documents[url];
    },
    close: async () => undefined,
  };
}

describe('where the keys of an issuer are', () => {
  it('its own document says, and where the name of the issuer ends with a slash it is found too', async () => {
    const there = { [discovery]: { issuer, jwks_uri: `${issuer}/keys` }, [`${issuer}/keys`]: keys };
    expect(await keysOf({ issuer }, network(there))()).toEqual(keys);
    const slash = { [discovery]: { issuer: `${issuer}/`, jwks_uri: `${issuer}/keys` }, [`${issuer}/keys`]: keys };
    expect(await keysOf({ issuer: `${issuer}/` }, network(slash))()).toEqual(keys);
  });

  it.each<[string, unknown, RegExp]>([
    [
      'of another issuer',
      { issuer: 'https://evil.example.com', jwks_uri: `${issuer}/keys` },
      /names the issuer "https:\/\/evil/,
    ],
    ['of no issuer', { jwks_uri: `${issuer}/keys` }, /names the issuer/],
    ['that points to a file', { issuer, jwks_uri: 'file:///keys' }, /no jwks_uri with https:/],
    [
      'of an https issuer that points to http',
      { issuer, jwks_uri: 'http://id.example.com/keys' },
      /no jwks_uri with https:$/,
    ],
    ['without keys', { issuer }, /no jwks_uri/],
    ['that is no object', [], /is no object/],
  ])('is not learnt from a document %s', async (_what, document, fault) => {
    const all = {
      [discovery]: document,
      [`${issuer}/keys`]: keys,
      'file:///keys': keys,
      'http://id.example.com/keys': keys,
    };
    await expect(keysOf({ issuer }, network(all))()).rejects.toThrow(fault);
  });

  it('more keys than any issuer needs are not taken, nor what is no key', async () => {
    const document = { issuer, jwks_uri: `${issuer}/keys` };
    const load = (published: unknown) =>
      keysOf({ issuer }, network({ [discovery]: document, [`${issuer}/keys`]: published }))();
    const [key] = keys.keys;
    await expect(load({ keys: Array.from({ length: 101 }, () => key) })).rejects.toThrow('at most 100 are taken');
    await expect(load({ keys: [key, 'a key'] })).rejects.toThrow('holds something that is no key');
    expect(await load({ keys: Array.from({ length: 100 }, () => key) })).toBeDefined();
  });

  it('is asked for anew after it failed: an issuer may move its keys', async () => {
    const documents: Record<string, unknown> = {
      [discovery]: { issuer, jwks_uri: `${issuer}/old` },
      [`${issuer}/old`]: keys,
    };
    const load = keysOf({ issuer }, network(documents));
    await load();
    delete documents[`${issuer}/old`];
    documents[`${issuer}/new`] = keys;
    documents[discovery] = { issuer, jwks_uri: `${issuer}/new` };
    await expect(load()).rejects.toThrow('/old does not answer');
    expect(await load()).toEqual(keys);
  });
});
