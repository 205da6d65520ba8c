import { isJsonObject, type JsonObject, type JsonValue } from '../../../constructs/model/json.ts';
import type { Entry, Exchange, Shown } from './exchanges.ts';

/** Text that differs from run to run, and what stands for it. */
export type Replacement = readonly [from: string, to: string];

/** Longest text that is shown whole. */
const longestText = 200;

/** Headers that say something about logging in. */
const tellingHeaders = ['authorization', 'mcp-protocol-version', 'www-authenticate', 'location'];

/** What of the issuer's metadata a client reads here; there is much more in it. */
const tellingMetadata = [
  'issuer',
  'authorization_endpoint',
  'token_endpoint',
  'code_challenge_methods_supported',
  'token_endpoint_auth_methods_supported',
  'scopes_supported',
  'authorization_response_iss_parameter_supported',
  'client_id_metadata_document_supported',
];

/** Secrets, and what is new with each run: in an address or a form, and in JSON. */
const cutParameters = new Set([
  'code',
  'code_verifier',
  'code_challenge',
  'state',
  'nonce',
  'session_state',
  'refresh_token',
]);
const cutMembers = new Set([
  ...['access_token', 'refresh_token', 'id_token', 'session_state', 'expires_in', 'refresh_expires_in'],
  ...['exp', 'iat', 'auth_time', 'jti', 'sub', 'sid'],
]);
/** What of calls and results has nothing to do with logging in, and changes with the product. */
const leftOut = new Set(['instructions', 'capabilities', 'workflow', 'files', 'content', 'structuredContent']);

/** The story as Markdown. Tokens, codes, times and addresses are replaced, so that two runs give the same bytes. */
export function markdownOf(entries: readonly Entry[], replacements: readonly Replacement[]): string {
  const parts = entries.map((entry) => {
    if (entry.kind === 'chapter') return `## ${entry.title}\n${entry.text}`;
    return entry.kind === 'shown' ? shown(entry) : exchange(entry);
  });
  const text = `${parts.join('\n\n')}\n`;
  return replacements.reduce((all, [from, to]) => all.replaceAll(from, to), text);
}

function exchange({ method, url, requestHeaders, requestBody, ...answer }: Exchange): string {
  const request = [`${method} ${url}`, ...headerLines(requestHeaders), ...bodyLines(requestBody)];
  const response = [`${answer.status}`, ...headerLines(answer.responseHeaders), ...bodyLines(answer.responseBody)];
  return `${fenced('http', request)}\n\n${fenced('http', response)}`;
}

function shown({ text, value }: Shown): string {
  if (!(value instanceof URL)) return `${text}\n\n${fenced('json', [pretty(value as JsonValue)])}`;
  return `${text}\n\n${fenced('text', [`${value.origin}${value.pathname}`, ...parameterLines(value.searchParams)])}`;
}

function fenced(language: string, lines: readonly string[]): string {
  return [`\`\`\`${language}`, ...lines, '```'].join('\n');
}

function headerLines(headers: Headers): string[] {
  const value = (name: string) => headers.get(name)?.replace(/^Bearer \S{100,}$/, 'Bearer <access token>');
  return tellingHeaders.filter((name) => headers.has(name)).map((name) => `${name}: ${value(name)}`);
}

function bodyLines(body: string): string[] {
  if (body === '') return [];
  const event = /^data: (.*)$/m.exec(body)?.[1];
  const text = event ?? body;
  if (!text.startsWith('{')) return ['', ...parameterLines(new URLSearchParams(text))];
  const parsed = JSON.parse(text) as JsonValue;
  if (!isJsonObject(parsed) || !('token_endpoint' in parsed)) return ['', pretty(parsed)];
  return ['', pretty({ ...pick(parsed), '…': '' }).replace('"…": ""', '…')];
}

function pick(metadata: JsonObject): JsonObject {
  return Object.fromEntries(tellingMetadata.map((key) => [key, metadata[key] ?? null]));
}

function parameterLines(parameters: URLSearchParams): string[] {
  return [...parameters].map(([name, value]) => `  ${name}=${cutParameters.has(name) ? placeholder(name) : value}`);
}

function pretty(value: JsonValue): string {
  return JSON.stringify(cut(value), null, 2);
}

function cut(value: JsonValue | undefined): JsonValue {
  if (value === undefined) return null;
  if (typeof value === 'string') return value.length > longestText ? `${value.slice(0, longestText)}…` : value;
  if (Array.isArray(value)) return value.map(cut);
  return isJsonObject(value)
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cutMember(key, item)]))
    : value;
}

function cutMember(key: string, value: JsonValue | undefined): JsonValue {
  if (cutMembers.has(key)) return placeholder(key);
  if (leftOut.has(key)) return '…';
  // Keycloak keeps scopes in a set: their order says nothing.
  if (key === 'scope' && typeof value === 'string') return value.split(' ').sort().join(' ');
  if (key === 'scopes_supported' && Array.isArray(value)) return [...value].sort();
  return cut(value);
}

function placeholder(name: string): string {
  return `<${name.replaceAll('_', ' ')}>`;
}
