import { createHash } from 'node:crypto';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import type { ClientIdentity, OidcPrincipal, Principal } from '../../constructs/model/principal.ts';

/** One call, as the audit stream records it. Never sampled; no token, no Secret value, no argument in clear. */
export interface AuditRecord {
  /** RFC 3339, UTC: when the call ended. */
  readonly time: string;
  readonly principal: string;
  readonly principal_kind: Principal['kind'];
  /** Of a caller with an identity: what never changes hands, unlike a name or an address. */
  readonly principal_sub?: string;
  /** The OAuth client that his token was issued to, as the issuer says. */
  readonly principal_client?: string;
  /** Client name and version as it says itself; absent where it says none. */
  readonly client?: string;
  readonly tool: string;
  readonly enclave?: string;
  readonly tentacle?: string;
  /** sha256 over the canonical arguments, Secret values left out. */
  readonly arguments_digest: string;
  readonly decision: 'allowed' | 'denied' | 'not-judged';
  readonly reason: string;
  /** `ok`, or the code of the error. */
  readonly outcome: string;
  readonly duration_ms: number;
  /** Made by the server; the User-Agent of the call's requests to the Kubernetes API carries it too. */
  readonly call_id: string;
  /** W3C trace id, which the caller may have chosen. */
  readonly trace_id: string;
}

/** Whose call of what is recorded. */
export interface RecordedCall {
  readonly principal: Principal;
  readonly client: ClientIdentity | undefined;
  readonly tool: string;
  readonly arguments: JsonValue;
  readonly callId: string;
  readonly traceId: string;
}

/** What became of it. */
export interface RecordedEnding extends Pick<AuditRecord, 'enclave' | 'tentacle' | 'decision' | 'reason' | 'outcome'> {
  /** Milliseconds since the epoch: when the call ended. */
  readonly at: number;
  readonly durationMs: number;
}

/** The record of a call, wherever it ended. */
export function auditRecord(call: RecordedCall, ending: RecordedEnding): AuditRecord {
  const { principal } = call;
  const client = clientText(call.client);
  const { enclave, tentacle, decision, reason, outcome } = ending;
  return {
    time: new Date(ending.at).toISOString(),
    principal: principal.name,
    principal_kind: principal.kind,
    ...(principal.kind === 'oidc' ? identifiedBy(principal) : {}),
    ...(client ? { client } : {}),
    tool: call.tool,
    ...(enclave ? { enclave } : {}),
    ...(tentacle ? { tentacle } : {}),
    arguments_digest: argumentsDigest(call.arguments),
    decision,
    reason,
    outcome,
    duration_ms: Math.round(ending.durationMs),
    call_id: call.callId,
    trace_id: call.traceId,
  };
}

function identifiedBy({ sub, client }: OidcPrincipal): Pick<AuditRecord, 'principal_sub' | 'principal_client'> {
  return { principal_sub: sub, ...(client === undefined ? {} : { principal_client: client }) };
}

/** Where audit records go: one JSON line each on a stream of its own. */
export type AuditSink = (record: AuditRecord) => void;

export function createAuditSink(write: (line: string) => void): AuditSink {
  return (record) => write(`${JSON.stringify(record).replace(hidden, escaped)}\n`);
}

/** JSON leaves these as they are, but some readers end a line at them, and terminals obey or hide them. */
const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

/** What an enclave or a tentacle can be called at all. */
const plainName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const maxNameLength = 63;

/**
 * What a caller said his call was about, for a record of one that never came to a decision. Only what can be a name:
 * in its place there may be anything, a secret that went astray too.
 */
export function namedIn(input: JsonValue): { readonly enclave?: string; readonly tentacle?: string } {
  if (!isJsonObject(input)) return {};
  const nameOf = (value: JsonValue | undefined) =>
    typeof value === 'string' && value.length <= maxNameLength && plainName.test(value) ? value : undefined;
  const enclave = nameOf(input.enclave);
  const name = nameOf(input.name);
  // The enclave tools call their enclave `name`.
  if (input.enclave === undefined) return name === undefined ? {} : { enclave: name };
  return { ...(enclave === undefined ? {} : { enclave }), ...(name === undefined ? {} : { tentacle: name }) };
}

/** Digest by which a call can be recognized; values of Secrets count by their presence only. */
export function argumentsDigest(input: JsonValue): string {
  return `sha256:${createHash('sha256')
    .update(canonicalJson(withoutSecretValues(input)))
    .digest('hex')}`;
}

function withoutSecretValues(input: JsonValue): JsonValue {
  if (!isJsonObject(input)) return input;
  const shown = maskedAt(input, ['secrets']);
  // A Secret is refused there, after it was sent.
  if (Array.isArray(input.manifests)) {
    shown.manifests = input.manifests.map((item) => (isSecret(item) ? maskedAt(item, ['data', 'stringData']) : item));
  }
  return shown;
}

function isSecret(manifest: JsonValue): manifest is JsonObject {
  return isJsonObject(manifest) && manifest.kind === 'Secret';
}

function maskedAt(object: JsonObject, fields: readonly string[]): JsonObject {
  const hidden = fields.filter((field) => object[field] !== undefined);
  return { ...object, ...Object.fromEntries(hidden.map((field) => [field, masked(object[field] ?? null)])) };
}

function masked(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value === null ? null : '***';
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, item === undefined ? null : masked(item)]),
  );
}

/** Client as it is recorded: printable ASCII, at most 128 characters. */
export function clientText(client: ClientIdentity | undefined): string | undefined {
  if (client === undefined) return undefined;
  const text = client.version === '' ? client.name : `${client.name}/${client.version}`;
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 128);
}
