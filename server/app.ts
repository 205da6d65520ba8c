import { createServer, type Server } from 'node:http';
import { type FetchLikeMcpHandler, toNodeHandler } from '@modelcontextprotocol/node';
import cors from 'cors';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import { discoveryPaths } from './auth/discovery.ts';
import { type OriginRules, originRefusal } from './auth/origin.ts';
import {
  type AuthenticationDependencies,
  type CallerResponse,
  requireCaller,
  requireScopes,
} from './authentication.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { McpEndpoint } from './mcp/handler.ts';
import { bodyFault } from './request-body.ts';
import { errorFields } from './telemetry/log.ts';

/** Largest request body, in bytes, after decompression. */
const maxBodyBytes = 4 * 1024 * 1024;
/** Of all headers together, in bytes: a token of any length that counts fits, and one that is too long is told so. */
const maxHeaderBytes = 32 * 1024;
/** How long a connection may be idle, in milliseconds: longer than proxies keep theirs (nginx: 60 s), so that they close it. */
const keepAliveMs = 75_000;

export interface AppDependencies extends AuthenticationDependencies {
  readonly mcp: McpEndpoint;
  readonly origins: OriginRules;
  readonly lifecycle: Lifecycle;
  /** Why the server cannot serve now; undefined where it can. */
  readonly notReady: () => Promise<string | undefined>;
}

/** What the application is served by. */
export function createHttpServer(): Server {
  return createServer({ maxHeaderSize: maxHeaderBytes, keepAliveTimeout: keepAliveMs });
}

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
  const { discovery } = deps;
  if (discovery !== undefined) {
    // Public, and the first thing that a client in a page of any site needs.
    app.use([...discoveryPaths], cors({ methods: ['GET'] }));
    app.get([...discoveryPaths], (_request, response) => {
      response.json(discovery.document);
    });
  }
  app.use(
    '/mcp',
    guardOrigin(deps),
    answerPages(),
    requireCaller(deps),
    checkHost(deps),

    // Not strict: a bare number is JSON, and no request.
    express.json({ limit: maxBodyBytes, strict: false }),
    checkBody(deps),
    requireScopes(deps),
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

/**
 * CORS, for pages whose origin has been let in: they may ask whether they may call, which carries no credential, and read
 * the answer. Without `Origin` there is no page, and the method is judged like any other.
 */
function answerPages() {
  const pages = cors({
    origin: true,
    methods: ['POST'],
    exposedHeaders: ['WWW-Authenticate', 'Retry-After'],
    maxAge: 600,
  });
  return (request: Request, response: Response, next: NextFunction): void => {
    if (request.headers.origin === undefined) next();
    else pages(request, response, next);
  };
}

/** Without one there is no URL of the request (RFC 9112, 3.2): a fault of who sent it, not of ours. */
function checkHost({ metrics }: AppDependencies) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const { host } = request.headers;
    if (host === undefined || URL.canParse(`http://${host}/`)) {
      next();
      return;
    }
    metrics.refused('malformed-host');
    response.status(400).json(rpcError(-32600, 'The Host header names no host'));
  };
}

function checkBody({ metrics }: AppDependencies) {
  return (request: Request, response: Response, next: NextFunction): void => {
    // What comes next would read it by itself, with other ideas of what is JSON, past all that is judged here.
    if (request.method === 'POST' && request.body === undefined) {
      metrics.refused('malformed-body');
      response.status(415).json(rpcError(-32000, 'Unsupported Media Type: Content-Type must be application/json'));
      return;
    }
    const fault = bodyFault(request.body);
    if (fault === undefined) {
      next();
      return;
    }
    metrics.refused('malformed-body');
    response.status(400).json(rpcError(fault.code, fault.message, fault.id));
  };
}

function serveMcp({ mcp, lifecycle, log }: AppDependencies) {
  const onerror = (error: Error) => log.error(errorFields(error), 'MCP request failed');
  return async (request: Request, response: CallerResponse): Promise<void> => {
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

function rpcError(code: number, message: string, id: string | number | null = null) {
  return { jsonrpc: '2.0', error: { code, message }, id };
}
