import { z } from 'zod';
import { toolApis } from './api/tools.ts';
import { resourceOf } from './auth/discovery.ts';

/** How tokens of an OpenID Connect issuer are judged. */
export interface OidcConfig {
  /** Compared with `iss` character by character. */
  readonly issuer: string;
  /** What `aud` must contain. Default: the URL of this resource. */
  readonly audience: string;
  /** Where the keys are. Default: where the issuer's own document says. */
  readonly jwksUrl?: string;
  /** PEM file with certificates that are trusted for the issuer beside the public ones. */
  readonly caFile?: string;
  /** Empty: tokens of every client of the issuer. */
  readonly allowedClients: readonly string[];
  readonly toolScopes: Readonly<Record<string, readonly string[]>>;
}

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' });
/** `iss` has neither (OpenID Connect Discovery 1.0, 3). */
const issuer = httpUrl.refine((text) => !/[?#]/.test(text), 'must have no query and no fragment');
/** A Secret made from a file ends with a line break. */
const text = z.string().trim().min(1, 'must not be empty');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const clients = list.pipe(z.array(z.string().max(255)));
/** RFC 6749, 3.3. */
const scope = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** `wf_remove=tentacles:destroy,wf_apply=tentacles:write tentacles:read` */
const toolScopes = list.transform((items, context) => {
  const scopes: Record<string, readonly string[]> = {};
  for (const item of items) {
    const [tool = '', ...rest] = item.split('=');
    const wanted = rest
      .join('=')
      .split(' ')
      .filter((each) => each !== '');
    if (Object.hasOwn(scopes, tool)) context.addIssue(`names ${tool} more than once`);
    else if (!Object.hasOwn(toolApis, tool)) context.addIssue(`names "${tool}", which is no tool`);
    else if (wanted.length === 0 || !wanted.every((each) => scope.test(each))) {
      context.addIssue(`gives ${tool} no scopes; write ${tool}=<scope> <scope>`);
    } else scopes[tool] = wanted;
  }
  return scopes;
});

/** The variables of OIDC, each optional: without an issuer there is no OIDC. */
export const oidcVariables = {
  TENTACULAR_OIDC_ISSUER: issuer.optional(),
  TENTACULAR_OIDC_CLIENT_ID: text.max(255).optional(),
  TENTACULAR_OIDC_AUDIENCE: text.optional(),
  TENTACULAR_OIDC_JWKS_URL: httpUrl.optional(),
  TENTACULAR_OIDC_CA_FILE: z.string().startsWith('/', 'must be an absolute path').optional(),
  TENTACULAR_OIDC_ALLOWED_CLIENTS: clients.default([]),
  TENTACULAR_OIDC_TOOL_SCOPES: toolScopes.default({}),
};

const variables = z.object(oidcVariables);

/** What the variables mean together: nothing, a configuration, or what is missing. */
export function oidcConfig(
  value: z.output<typeof variables>,
  externalUrl: string | undefined,
): OidcConfig | { readonly faults: readonly string[] } | undefined {
  if (value.TENTACULAR_OIDC_ISSUER === undefined) {
    const others = Object.keys(oidcVariables).filter((name) => isGiven(value[name as keyof typeof value]));
    const faults = others.map((name) => `${name}: is set, but TENTACULAR_OIDC_ISSUER is not`);
    return faults.length > 0 ? { faults } : undefined;
  }
  const audience = value.TENTACULAR_OIDC_AUDIENCE ?? (externalUrl === undefined ? undefined : resourceOf(externalUrl));
  if (audience === undefined) {
    const fault = 'TENTACULAR_OIDC_AUDIENCE: is required unless TENTACULAR_EXTERNAL_URL is set, whose /mcp it then is';
    return { faults: [fault] };
  }
  const allowed = value.TENTACULAR_OIDC_ALLOWED_CLIENTS;
  const own = value.TENTACULAR_OIDC_CLIENT_ID;
  return {
    issuer: value.TENTACULAR_OIDC_ISSUER,
    audience,
    ...(value.TENTACULAR_OIDC_JWKS_URL ? { jwksUrl: value.TENTACULAR_OIDC_JWKS_URL } : {}),
    ...(value.TENTACULAR_OIDC_CA_FILE ? { caFile: value.TENTACULAR_OIDC_CA_FILE } : {}),
    // The command line's own client need not be named twice.
    allowedClients: allowed.length > 0 && own !== undefined ? [...new Set([...allowed, own])] : allowed,
    toolScopes: value.TENTACULAR_OIDC_TOOL_SCOPES,
  };
}

function isGiven(value: string | object | undefined): boolean {
  return typeof value === 'object' ? Object.keys(value).length > 0 : value !== undefined;
}
