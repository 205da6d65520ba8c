import type { Fault } from '../../constructs/model/errors.ts';
import { invalidInput } from '../../constructs/model/errors.ts';

/** What the command line settles; in the pod the defaults hold. */
export interface EngineArguments {
  /** Folder with workflow.yaml and the nodes. Default `/app/workflow`. */
  readonly workflow: string;
  /** Folder with one file a service. Default `/app/secrets`. */
  readonly secrets: string;
  /** Default 8080. */
  readonly port: number;
  /** Address to listen on. Default: `::` where the pod has IPv6, else `0.0.0.0`. */
  readonly host?: string;
  /** How long runs may go on after SIGTERM. Default: the workflow's timeout and 5 s. */
  readonly graceMs?: number;
}

const rules = {
  workflow: 'a folder',
  secrets: 'a folder',
  port: 'a port, 0 to 65535',
  host: 'an address to listen on',
  'grace-ms': 'milliseconds, 0 to 86400000',
} as const;

type Name = keyof typeof rules;

/**
 * @param args `--workflow <folder> --secrets <folder> --port <port> --host <address> --grace-ms <ms>`, all optional
 * @throws TentacularError invalid_input with every fault
 */
export function parseArguments(args: readonly string[]): EngineArguments {
  const faults: Fault[] = [];
  const values = new Map<string, string>();
  for (let index = 0; index < args.length; index += 2) {
    const option = args[index] ?? '';
    const name = option.slice(2);
    const value = args[index + 1];
    if (!option.startsWith('--') || !Object.hasOwn(rules, name)) {
      const allowed = Object.keys(rules).map((known) => `--${known}`);
      faults.push({ path: option, message: 'is no option of the engine', allowed: allowed.join(', ') });
    } else if (value === undefined || value === '') {
      faults.push({ path: option, message: 'needs a value', allowed: rules[name as Name] });
    } else {
      values.set(name, value);
    }
  }
  const number = (name: Name, max: number): number | undefined => {
    const text = values.get(name);
    if (text === undefined) return undefined;
    if (!/^\d{1,9}$/.test(text) || Number(text) > max) {
      faults.push({ path: `--${name}`, message: 'is out of range', found: text, allowed: rules[name] });
    }
    return Number(text);
  };
  const port = number('port', 65_535) ?? 8080;
  const graceMs = number('grace-ms', 86_400_000);
  const host = values.get('host');
  if (faults.length > 0) throw invalidInput('the command line', faults);
  return {
    workflow: values.get('workflow') ?? '/app/workflow',
    secrets: values.get('secrets') ?? '/app/secrets',
    port,
    ...(host === undefined ? {} : { host }),
    ...(graceMs === undefined ? {} : { graceMs }),
  };
}
