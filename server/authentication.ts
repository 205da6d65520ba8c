import type { NextFunction, Request, Response } from 'express';
import { isJsonObject, type JsonValue } from '../constructs/model/json.ts';
import type { Principal } from '../constructs/model/principal.ts';
import { attemptKey } from './auth/address.ts';
import { type Authenticator, authenticate, bearerCredential } from './auth/authenticator.ts';
import { challenge, type Discovery } from './auth/discovery.ts';
import type { RateLimiter } from './auth/rate-limit.ts';
import { clientIdentity } from './mcp/client.ts';
import { traceIdOf, traceparentOf } from './mcp/trace.ts';
import { type AuditSink, auditRecord, namedIn } from './telemetry/audit.ts';
import type { Logger } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

export interface AuthenticationDependencies {
  readonly authenticators: readonly Authenticator[];
  /** How clients find the issuer; absent where none is configured, or the server does not know its own URL. */
  readonly discovery?: Discovery;
  /** Scopes that a token must have been granted for a tool, by its name. Default: none for any. */
  readonly toolScopes?: Readonly<Record<string, readonly string[]>>;
  readonly limits: {
    /** By principal. */
    readonly calls: RateLimiter;
    /** By address, of IPv6 by network; stricter. */
    readonly failedAuthentication: RateLimiter;
  };
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly audit: AuditSink;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Id of a call. */
  readonly newId: () => string;
}

interface Caller extends Record<string, unknown> {
  principal?: Principal;
  /** Absent where the credential knows no scopes. */
  scopes?: readonly string[];
}
export type CallerResponse = Response<unknown, Caller>;

/** Authentication comes before method and body: who is not known learns nothing else. */
export function requireCaller({ authenticators, discovery, limits, log, metrics }: AuthenticationDependencies) {
  return async (request: Request, response: CallerResponse, next: NextFunction): Promise<void> => {
    const address = request.socket.remoteAddress ?? 'unknown';
    const credential = bearerCredential(request.headers.authorization);
    const verdict = credential === undefined ? undefined : await authenticate(authenticators, credential);
    if (verdict?.kind === 'unavailable') {
      metrics.refused('authentication-unavailable');
      return answerRetry(response, 503, verdict.retryAfterSeconds, 'the caller cannot be identified now');
    }
    if (verdict?.kind !== 'accepted') {
      // Asking without a credential, or with one that has expired, is how clients learn that they need another: behind an
      // address that many share, nobody else's attempts may keep that from them.
      const counts = verdict !== undefined && !verdict.wasGood;
      const attempt = counts ? limits.failedAuthentication.take(attemptKey(address)) : notCounted;
      metrics.refused(attempt.allowed ? 'unauthenticated' : 'failed-authentication-rate');
      if (!attempt.allowed) return answerRetry(response, 429, attempt.retryAfterSeconds, 'too many failed attempts');
      log.info({ address, reason: verdict?.reason ?? 'no credential' }, 'unauthenticated request');
      response.setHeader('www-authenticate', challenge(discovery, verdict && { error: 'invalid_token' }));
      response.status(401).json(unauthorized(verdict?.reason));
      return;
    }
    const call = limits.calls.take(rateKey(verdict.principal));
    if (!call.allowed) {
      metrics.refused('rate');
      return answerRetry(response, 429, call.retryAfterSeconds, 'too many requests');
    }
    response.locals.principal = verdict.principal;
    if (verdict.scopes !== undefined) response.locals.scopes = verdict.scopes;
    next();
  };
}

const notCounted = { allowed: true } as const;

/** What the issuer vouches for; names and e-mails change. */
function rateKey(principal: Principal): string {
  return principal.kind === 'oidc' ? `oidc:${principal.sub}` : `token:${principal.name}`;
}

function unauthorized(reason: string | undefined) {
  return reason === undefined
    ? { error: 'unauthorized', error_description: 'Send an Authorization header: Bearer <token>.' }
    : { error: 'invalid_token', error_description: `The token ${reason}.` };
}

function answerRetry(response: Response, status: 429 | 503, seconds: number, reason: string): void {
  response.setHeader('retry-after', String(seconds));
  const error = status === 429 ? 'rate_limited' : 'temporarily_unavailable';
  response.status(status).json({ error, error_description: `${reason}; try again in ${seconds} s` });
}

/** Asks for more, where a tool is configured to need it, in the way that makes a client come back with it. */
export function requireScopes(deps: AuthenticationDependencies) {
  const { discovery, toolScopes = {}, metrics } = deps;
  const needed = new Map(Object.entries(toolScopes));
  const ours = new Set(Object.values(toolScopes).flat());
  return (request: Request, response: CallerResponse, next: NextFunction): void => {
    const { scopes: granted, principal } = response.locals;
    const call = calledTool(request.body);
    const tool = call?.tool;
    const required = (tool && needed.get(tool)) || [];
    const missing = required.filter((scope) => !granted?.includes(scope));
    if (call === undefined || principal === undefined || granted === undefined || missing.length === 0) {
      next();
      return;
    }
    metrics.refused('scope');
    recordRefusal(deps, request, { ...call, principal, missing });
    // With those that it has for other tools: it would come back without them, and be sent away from there.
    const scopes = [...granted.filter((scope) => ours.has(scope)), ...required];
    response.setHeader('www-authenticate', challenge(discovery, { error: 'insufficient_scope', scopes }));
    response.status(403).json({
      error: 'insufficient_scope',
      error_description: `${tool} needs a token with the scope ${missing.join(' ')}.`,
    });
  };
}

interface CalledTool {
  readonly tool: string;
  readonly input: JsonValue;
  /** What a client says of itself and of its trace. */
  readonly meta: JsonValue | undefined;
}

function calledTool(body: unknown): CalledTool | undefined {
  if (!isJsonObject(body) || body.method !== 'tools/call' || !isJsonObject(body.params)) return undefined;
  const { name, arguments: input = {}, _meta: meta } = body.params;
  return typeof name === 'string' ? { tool: name, input, meta } : undefined;
}

/** It never becomes a call of a tool, and is one in the audit stream all the same: somebody tried. */
function recordRefusal(
  { audit, now, newId }: AuthenticationDependencies,
  request: Request,
  {
    tool,
    input,
    meta,
    principal,
    missing,
  }: CalledTool & { readonly principal: Principal; readonly missing: readonly string[] },
): void {
  const client = clientIdentity(meta, request.headers['user-agent']);
  const traceId = traceIdOf(traceparentOf(meta, request.get('traceparent')));
  const reason = `the token lacks the scope ${missing.join(' ')}`;
  const refused = { ...namedIn(input), decision: 'denied', reason, outcome: 'permission_denied' } as const;
  audit(
    auditRecord(
      { principal, client, tool, arguments: input, callId: newId(), traceId },
      { ...refused, at: now(), durationMs: 0 },
    ),
  );
}
