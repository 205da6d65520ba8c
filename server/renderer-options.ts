import { describeFault } from '../constructs/model/errors.ts';
import type { JsonValue } from '../constructs/model/json.ts';
import type { RendererOptions } from '../constructs/model/options.ts';
import { checkRendererOptions } from '../constructs/options.ts';
import { ConfigError } from './config.ts';

const variable = 'TENTACULAR_RENDERER_OPTIONS_FILE';

/** Renderer options from the JSON that the chart mounts, by the rules of `cdk8s synth`. Throws ConfigError with all faults. */
export function parseRendererOptions(json: string): RendererOptions {
  const { options, faults } = checkRendererOptions(jsonOf(json));
  if (options) return options;
  throw new ConfigError(
    faults.map((fault) => `${variable}: ${describeFault({ ...fault, path: fault.path || '(root)' })}`),
  );
}

function jsonOf(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw new ConfigError([`${variable}: is not JSON`]);
  }
}
