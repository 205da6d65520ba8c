import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import type { RenderedTentacle } from '../../constructs/source.ts';
import type { ApplyRequest, ApplyStamps } from '../cluster/index.ts';
import type { ToolDependencies } from './dependencies.ts';
import { authorStamps, ownerStamps } from './provenance.ts';
import type { CallContext } from './tool.ts';
import { cleanText } from './untrusted.ts';

/** Credentials as wf_apply and wf_diff take them. */
type SecretsInput = Readonly<Record<string, Readonly<Record<string, unknown>> | null>> | undefined;

/** What comparing and applying have in common. */
type Comparison = Pick<ApplyRequest, 'rendered' | 'options' | 'rendererVersion' | 'stamps' | 'secrets' | 'call'>;

/** The request of a wf_diff, and the beginning of the one of a wf_apply. */
export function comparison(
  deps: ToolDependencies,
  context: CallContext,
  { rendered, secrets }: { readonly rendered: RenderedTentacle; readonly secrets: SecretsInput },
): Comparison {
  return {
    rendered,
    options: deps.rendererOptions,
    rendererVersion: `tentacular/${deps.version}`,
    stamps: stampsOf(context),
    ...(secrets ? { secrets: secretsOf(secrets) } : {}),
    call: context.kube,
  };
}

/** Who applies, and through which program. A bearer token owns nothing. */
export function stampsOf({ principal, client }: CallContext): ApplyStamps {
  const via = client && cleanText(client.version === '' ? client.name : `${client.name}/${client.version}`, 128);
  return {
    authProvider: principal.kind === 'token' ? 'bearer-token' : principal.provider,
    deployedBy: principal.name,
    ...(via ? { deployedVia: via } : {}),
    ...ownerStamps(principal),
    ...authorStamps(principal),
  };
}

/** Arguments came out of JSON, so an object in them is a JSON object. */
function secretsOf(secrets: NonNullable<SecretsInput>): Record<string, JsonObject | null> {
  const entries = Object.entries(secrets).map(([service, value]) => [service, isJsonObject(value) ? value : null]);
  return Object.fromEntries(entries) as Record<string, JsonObject | null>;
}
