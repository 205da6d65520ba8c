import { isJsonObject, type JsonValue } from '../../constructs/model/json.ts';

/** Header that carries the secret of `auth.type: api-key`. */
const apiKeyHeader = 'x-api-key';

/**
 * The request header that authenticates to a dependency, or undefined where the type is one that only the node can
 * use (`password`, ...) or none.
 * `bearer`: `authorization: Bearer <secret>`. `basic`: from `user:password`, or an object with `username` and
 * `password`. `api-key`: `x-api-key: <secret>`. `header-<name>`: that header.
 * @throws Error where the secret has not the form that the type needs
 */
export function authHeader(
  dependency: string,
  authType: string,
  secret: JsonValue | undefined,
): readonly [name: string, value: string] | undefined {
  if (authType === 'bearer') return ['authorization', `Bearer ${text(dependency, authType, secret)}`];
  if (authType === 'api-key') return [apiKeyHeader, text(dependency, authType, secret)];
  if (authType === 'basic') return ['authorization', `Basic ${base64(userAndPassword(dependency, secret))}`];
  if (authType.startsWith('header-')) {
    return [authType.slice('header-'.length).trim(), text(dependency, authType, secret)];
  }
  return undefined;
}

function userAndPassword(dependency: string, secret: JsonValue | undefined): string {
  if (isJsonObject(secret)) {
    const { username, password } = secret;
    if (typeof username === 'string' && typeof password === 'string') return `${username}:${password}`;
    throw new Error(`dependency ${dependency}: auth type basic needs username and password in its secret`);
  }
  return text(dependency, 'basic', secret);
}

function text(dependency: string, authType: string, secret: JsonValue | undefined): string {
  // A line end at the end of a token is a frequent accident; one within would be another header.
  const value = typeof secret === 'string' ? secret.trim() : undefined;
  if (value === undefined || value === '' || /[\r\n\0]/.test(value)) {
    throw new Error(`dependency ${dependency}: auth type ${authType} needs a secret that is text of one line`);
  }
  return value;
}

function base64(value: string): string {
  return btoa(Array.from(new TextEncoder().encode(value), (byte) => String.fromCharCode(byte)).join(''));
}
