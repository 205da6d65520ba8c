import type { JSONWebKeySet, JWK } from 'jose';
import { isJsonObject } from '../../constructs/model/json.ts';
import type { JsonSource } from './json-source.ts';

/** Most keys that one issuer may publish. */
const maxKeys = 100;
/** Longest part of a document that is told, in characters. */
const maxShown = 256;

export interface IssuerOptions {
  /** Exactly as it stands in tokens (`iss`). */
  readonly issuer: string;
  /** Where the keys are, if not where the issuer's own document says: an address inside the cluster, for instance. */
  readonly jwksUrl?: string;
}

/**
 * Fetches the issuer's keys. Their place comes from its discovery document (OpenID Connect Discovery 1.0) unless it is
 * configured; a place is asked for anew after it failed.
 */
export function keysOf({ issuer, jwksUrl }: IssuerOptions, source: JsonSource): () => Promise<JSONWebKeySet> {
  let place = jwksUrl;
  return async () => {
    place ??= await discoverKeys(issuer, source);
    try {
      return keySet(place, await source.get(place));
    } catch (error) {
      place = jwksUrl;
      throw error;
    }
  };
}

async function discoverKeys(issuer: string, source: JsonSource): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = await source.get(url);
  if (!isJsonObject(document)) throw new Error(`${url} is no object`);
  if (document.issuer !== issuer) {
    const named = JSON.stringify(document.issuer ?? null).slice(0, maxShown);
    throw new Error(`${url} names the issuer ${named}, configured is "${issuer}"`);
  }
  const keys = document.jwks_uri;
  const schemes = issuer.startsWith('https:') ? ['https:'] : ['https:', 'http:'];
  if (typeof keys !== 'string' || !URL.canParse(keys) || !schemes.includes(new URL(keys).protocol)) {
    throw new Error(`${url} has no jwks_uri with ${schemes.join(' or ')}`);
  }
  return keys;
}

function keySet(url: string, document: unknown): JSONWebKeySet {
  if (!isJsonObject(document) || !Array.isArray(document.keys)) throw new Error(`${url} is no key set`);
  const { keys } = document;
  if (keys.length > maxKeys) throw new Error(`${url} holds ${keys.length} keys; at most ${maxKeys} are taken`);
  if (!keys.every(isKey)) throw new Error(`${url} holds something that is no key`);
  return { keys };
}

function isKey(value: unknown): value is JWK {
  return isJsonObject(value) && typeof value.kty === 'string';
}
