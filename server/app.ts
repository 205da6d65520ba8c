import { type FetchLikeMcpHandler, toNodeHandler } from '@modelcontextprotocol/node';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import type { Principal } from '../constructs/model/principal.ts';
import { type Authenticator, authenticate, bearerCredential } from './auth/authenticator.ts';
import { type OriginRules, originRefusal } from './auth/origin.ts';
import type { RateLimiter } from './auth/rate-limit.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { McpEndpoint } from './mcp/handler.ts';
import { bodyFault } from './request-body.ts';
import { errorFields, type Logger } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** Largest request body, in bytes, after decompression. */
const maxBodyBytes = 4 * 1024 * 1024;

export interface AppDependencies {
  readonly mcp: McpEndpoint;
  readonly authenticators: readonly Authenticator[];
  readonly origins: OriginRules;
  readonly limits: {
    /** By principal. */
    readonly calls: RateLimiter;
    /** By address; stricter. */
    readonly failedAuthentication: RateLimiter;
  };
  readonly lifecycle: Lifecycle;
  /** Why the server cannot serve now; undefined where it can. */
  readonly notReady: () => Promise<string | undefined>;
  readonly log: Logger;
  readonly metrics: Metrics;
}

interface Locals extends Record<string, unknown> {
  principal?: Principal;
}
type AppResponse = Response<unknown, Locals>;

/** The HTTP application, without a socket. */
export function createApp(deps: AppDependencies): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(helmet());
  app.use((_request, response, next) => {
    // A connection that is kept would reach a server that is going.
    if (deps.lifecycle.draining) response.setHeader('connection', 'close');
    next();
  });
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/readyz', async (_request, response) => {
    const reason = deps.lifecycle.draining ? 'draining' : await deps.notReady();
    response.status(reason === undefined ? 200 : 503).json(reason === undefined ? { status: 'ok' } : { reason });
  });
  app.use(
    '/mcp',
    guardOrigin(deps),
    requireCaller(deps),
    express.json({ limit: maxBodyBytes }),
    checkBody(deps),
    serveMcp(deps),
  );
  app.use((_request, response) => {
    response.status(404).json({ error: 'not_found', error_description: 'There is nothing at this path.' });
  });
  app.use(answerError(deps));
  return app;
}

function guardOrigin({ origins, metrics }: AppDependencies) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const refusal = originRefusal(request.headers.origin, request.headers.host, origins);
    if (refusal === undefined) {
      next();
      return;
    }
    metrics.refused('origin');
    response.status(403).json({ error: 'forbidden', error_description: refusal });
  };
}

/** Authentication comes before method and body: who is not known learns nothing else. */
function requireCaller({ authenticators, limits, log, metrics }: AppDependencies) {
  return async (request: Request, response: AppResponse, next: NextFunction): Promise<void> => {
    const address = request.socket.remoteAddress ?? 'unknown';
    const credential = bearerCredential(request.headers.authorization);
    const verdict = credential === undefined ? undefined : await authenticate(authenticators, credential);
    if (verdict?.kind === 'unavailable') {
      metrics.refused('authentication-unavailable');
      return answerRetry(response, 503, verdict.retryAfterSeconds, 'the caller cannot be identified now');
    }
    if (verdict?.kind !== 'accepted') {
      // Asking without a credential is how clients learn that one is needed; only a wrong one is an attempt.
      const attempt = credential === undefined ? notCounted : limits.failedAuthentication.take(address);
      metrics.refused(attempt.allowed ? 'unauthenticated' : 'failed-authentication-rate');
      if (!attempt.allowed) return answerRetry(response, 429, attempt.retryAfterSeconds, 'too many failed attempts');
      log.info({ address, reason: verdict?.reason ?? 'no credential' }, 'unauthenticated request');
      response.setHeader('www-authenticate', challenge(credential !== undefined));
      response.status(401).json(unauthorized(credential !== undefined));
      return;
    }
    const call = limits.calls.take(verdict.principal.name);
    if (!call.allowed) {
      metrics.refused('rate');
      return answerRetry(response, 429, call.retryAfterSeconds, 'too many requests');
    }
    response.locals.principal = verdict.principal;
    next();
  };
}

const notCounted = { allowed: true } as const;

/** RFC 6750: `error` only where credentials were sent. */
function challenge(credentialSent: boolean): string {
  return `Bearer realm="tentacular"${credentialSent ? ', error="invalid_token"' : ''}`;
}

function unauthorized(credentialSent: boolean) {
  return credentialSent
    ? { error: 'invalid_token', error_description: 'The token is not valid.' }
    : { error: 'unauthorized', error_description: 'Send an Authorization header: Bearer <token>.' };
}

function answerRetry(response: Response, status: 429 | 503, seconds: number, reason: string): void {
  response.setHeader('retry-after', String(seconds));
  const error = status === 429 ? 'rate_limited' : 'temporarily_unavailable';
  response.status(status).json({ error, error_description: `${reason}; try again in ${seconds} s` });
}

function checkBody({ metrics }: AppDependencies) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const fault = bodyFault(request.body);
    if (fault === undefined) {
      next();
      return;
    }
    metrics.refused('malformed-body');
    response.status(400).json(rpcError(-32600, fault));
  };
}

function serveMcp({ mcp, lifecycle, log }: AppDependencies) {
  const onerror = (error: Error) => log.error(errorFields(error), 'MCP request failed');
  return async (request: Request, response: AppResponse): Promise<void> => {
    const { principal } = response.locals;
    if (principal === undefined) throw new Error('a request passed authentication without a principal');
    const handler = toNodeHandler(withoutConnectionHeader(mcp.pick(request.body)), { onerror });
    // The credential itself goes no further than this.
    const auth = { token: '', clientId: principal.name, scopes: [], extra: { principal } };
    await lifecycle.track(handler(Object.assign(request, { auth }), response, request.body));
  };
}

/** Whether a connection is kept is for the HTTP server to say, above all while it drains. */
function withoutConnectionHeader({ fetch }: FetchLikeMcpHandler): FetchLikeMcpHandler {
  return {
    fetch: async (...args) => {
      const response = await fetch(...args);
      response.headers.delete('connection');
      return response;
    },
  };
}

interface HttpError {
  readonly status: number;
}

/** Faults of the transport as JSON; anything else is ours and tells nothing. */
function answerError({ log, metrics }: AppDependencies) {
  // Express knows an error handler by its four parameters.
  return (error: unknown, _request: Request, response: Response, next: NextFunction): void => {
    if (response.headersSent) {
      next(error);
      return;
    }
    if (!isHttpError(error) || error.status >= 500) {
      log.error(errorFields(error), 'request failed');
      response.status(500).json(rpcError(-32603, 'Internal error'));
      return;
    }
    metrics.refused(error.status === 413 ? 'body-too-large' : 'malformed-body');
    if (error.status === 413) {
      response.setHeader('connection', 'close');
      response.status(413).json(rpcError(-32000, `The body is larger than ${maxBodyBytes} bytes`));
      return;
    }
    const what = error.status === 415 ? 'has a charset or an encoding that is not known here' : 'is not valid JSON';
    response.status(error.status).json(rpcError(-32700, `The body ${what}`));
  };
}

function isHttpError(error: unknown): error is HttpError {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' && error.status >= 400;
}

function rpcError(code: number, message: string) {
  return { jsonrpc: '2.0', error: { code, message }, id: null };
}
