import {
  Client,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect } from 'vitest';
import type { createPerson } from '../../support/keycloak/browser.ts';
import { redirectUri } from './place.ts';

/** The address of the metadata document of Claude Code, under which the realm knows it. */
export const claudeCode = 'https://claude.ai/oauth/claude-code-client-metadata';

/** By what an issuer may know a client program; with neither it has to register itself. */
export interface KnownBy {
  /** The address of its metadata document. */
  readonly clientMetadataUrl?: string;
  /** What a person gave it. */
  readonly given?: { readonly clientId: string; readonly issuer: string };
}

/** What a client program keeps of one server, and the browser that it opens. */
export interface ClientMemory extends OAuthClientProvider {
  /** Where the browser was last sent to. */
  sentTo(): URL;
  accessToken(): string;
  refreshToken(): string;
}

export function clientMemory({ clientMetadataUrl, given }: KnownBy): ClientMemory {
  let verifier = '';
  let sent: URL | undefined;
  let discovered: OAuthDiscoveryState | undefined;
  let tokens: Awaited<ReturnType<OAuthClientProvider['tokens']>>;
  let client: Awaited<ReturnType<OAuthClientProvider['clientInformation']>> = given && {
    client_id: given.clientId,
    issuer: given.issuer,
  };
  const held = () => {
    if (tokens === undefined) throw new Error('the client has no tokens');
    return tokens;
  };
  return {
    redirectUrl: redirectUri,
    ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
    clientMetadata: {
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
    state: () => crypto.randomUUID(),
    clientInformation: () => client,
    saveClientInformation: (saved) => {
      client = saved;
    },
    tokens: () => tokens,
    saveTokens: (saved) => {
      tokens = saved;
    },
    redirectToAuthorization: (url) => {
      sent = url;
    },
    saveCodeVerifier: (saved) => {
      verifier = saved;
    },
    codeVerifier: () => verifier,
    discoveryState: () => discovered,
    saveDiscoveryState: (saved) => {
      discovered = saved;
    },
    sentTo() {
      if (sent === undefined) throw new Error('nobody was sent to log in');
      return sent;
    },
    accessToken: () => held().access_token,
    refreshToken: () => held().refresh_token ?? '',
  };
}

/** A connection that the client program opens; `finish` takes the address at which the browser came back. */
export interface Attempt {
  readonly connected: Promise<void>;
  finish(cameBackTo: URL): Promise<void>;
  callTool(name: string, args: Record<string, unknown>): Promise<unknown>;
  close(): Promise<void>;
}

/** The official client in its two generations, with its own support of OAuth. */
export const generations = {
  'SDK 2': (endpoint: string, memory: ClientMemory, watched: typeof fetch = fetch): Attempt => {
    const transport = new StreamableHTTPClientTransport(new URL(endpoint), { authProvider: memory, fetch: watched });
    const client = new Client({ name: 'first-contact', version: '1.0.0' });
    return {
      connected: client.connect(transport),
      finish: (cameBackTo) => transport.finishAuth(cameBackTo.searchParams),
      callTool: (name, args) => client.callTool({ name, arguments: args }),
      close: () => client.close(),
    };
  },
  'SDK 1': (endpoint: string, memory: ClientMemory, watched: typeof fetch = fetch): Attempt => {
    const transport = new OlderTransport(new URL(endpoint), { authProvider: memory, fetch: watched });
    const client = new OlderClient({ name: 'first-contact', version: '1.0.0' });
    return {
      connected: client.connect(transport as Parameters<typeof client.connect>[0]),
      finish: (cameBackTo) => transport.finishAuth(cameBackTo.searchParams.get('code') ?? ''),
      callTool: (name, args) => client.callTool({ name, arguments: args }),
      close: () => client.close(),
    };
  },
} as const;

/** From the first 401 through the pages of the issuer to tokens; `visit` is a person with a browser. */
export async function introduce(
  generation: keyof typeof generations,
  endpoint: string,
  { memory, visit }: { readonly memory: ClientMemory; readonly visit: ReturnType<typeof createPerson> },
): Promise<void> {
  const attempt = generations[generation](endpoint, memory);
  await expect(attempt.connected).rejects.toThrow(/[Uu]nauthorized/);
  await attempt.finish((await visit(memory.sentTo())).url);
}
