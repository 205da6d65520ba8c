import { parseArgs } from 'node:util';
import { type Fault, invalidInput, TentacularError } from '../constructs/model/errors.ts';
import { defaultPorts, portsFrom } from './cluster/settings.ts';
import { type ClusterStatus, type CommandOptions, down, kubeconfig, reset, status, up } from './cluster.ts';
import { duration, streamProgress } from './progress.ts';

const HELP = `Usage: npm run cluster -- <command> [options]

The local Kubernetes cluster: one Linux machine, root, no docker. It never touches ~/.kube/config.

Commands
  up           start it, or what of it does not run; waits until pods can be used
  down         stop it; what is stored in it is there again after the next up
  status       what runs, since when, and whose it is
  reset        stop it and delete its state; binaries stay in the cache
  kubeconfig   print the path of its kubeconfig:
               export KUBECONFIG=$(npm run --silent cluster -- kubeconfig)

Options
  --outside               up: pods may reach what this machine reaches (default: nothing leaves the machine)
  --state <folder>        state of the cluster (TENTACULAR_STATE; default /var/lib/tentacular)
  --cache <folder>        binaries and build caches (TENTACULAR_CACHE; default ~/.cache/tentacular)
  --ports <name=n,...>    other ports (TENTACULAR_PORTS): ${Object.keys(defaultPorts).join(', ')}
  --pod-cidr <range>      TENTACULAR_POD_CIDR; default 10.244.0.0/16
  --service-cidr <range>  TENTACULAR_SERVICE_CIDR; default 10.96.0.0/16
  --node-cidr <range>     TENTACULAR_NODE_CIDR; default 172.31.255.0/24
  --force                 down, reset: also where another checkout started it
  -o, --output <format>   status: text (default) or json
  -h, --help

Where the machine cannot run it (macOS, no root): use kind or k3d and name its context in TENTACULAR_CONTEXT.
`;

const commands = ['up', 'down', 'status', 'reset', 'kubeconfig'] as const;
type Command = (typeof commands)[number];

interface Invocation {
  readonly command: Command;
  readonly options: CommandOptions & { readonly force?: boolean };
  readonly json: boolean;
}

/** Reads the command line; `undefined` for help. @throws TentacularError `invalid_input` with every fault. */
export function parseCommandLine(args: readonly string[]): Invocation | undefined {
  const { values, positionals } = parseStrict(args);
  if (values.help) return undefined;
  const faults: Fault[] = [];
  const [name, ...rest] = positionals;
  const command = commands.find((candidate) => candidate === name);
  if (command === undefined)
    faults.push({ path: 'command', message: 'must be a command', found: name ?? null, allowed: commands.join(', ') });
  if (rest.length > 0) faults.push({ path: 'command', message: 'takes no arguments', found: rest.join(' ') });
  if (!['text', 'json'].includes(values.output))
    faults.push({ path: '--output', message: 'must be a format', found: values.output, allowed: 'text, json' });
  const ports = values.ports === undefined ? undefined : portsFrom(values.ports, faults);
  if (faults.length > 0 || command === undefined) throw invalidInput('The command line', faults);
  return {
    command,
    json: values.output === 'json',
    options: {
      ...(values.outside !== undefined && { outside: values.outside }),
      ...(values.force !== undefined && { force: values.force }),
      ...(values.state !== undefined && { stateDir: values.state }),
      ...(values.cache !== undefined && { cacheDir: values.cache }),
      ...(ports !== undefined && { ports }),
      ...(values['pod-cidr'] !== undefined && { podCidr: values['pod-cidr'] }),
      ...(values['service-cidr'] !== undefined && { serviceCidr: values['service-cidr'] }),
      ...(values['node-cidr'] !== undefined && { nodeCidr: values['node-cidr'] }),
    },
  };
}

function parseStrict(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        outside: { type: 'boolean' },
        force: { type: 'boolean' },
        state: { type: 'string' },
        cache: { type: 'string' },
        ports: { type: 'string' },
        'pod-cidr': { type: 'string' },
        'service-cidr': { type: 'string' },
        'node-cidr': { type: 'string' },
        output: { type: 'string', short: 'o', default: 'text' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw invalidInput('The command line', [{ path: 'options', message: error.message }]);
  }
}

async function run({ command, options, json }: Invocation): Promise<number> {
  const startedMs = performance.now();
  const progress = streamProgress();
  const took = () => duration(performance.now() - startedMs);
  const withProgress = { ...options, progress };
  if (command === 'up') {
    const info = await up(withProgress);
    progress.note(`cluster ready in ${took()}: export KUBECONFIG=${info.kubeconfig}`);
    if (info.outside) progress.note('pods may reach what this machine reaches (--outside)');
  } else if (command === 'down') {
    const stopped = await down(withProgress);
    progress.note(stopped ? `cluster stopped in ${took()}` : 'nothing was running');
  } else if (command === 'reset') {
    await reset(withProgress);
    progress.note(`cluster and its state removed in ${took()}`);
  } else if (command === 'kubeconfig') {
    console.log(await kubeconfig(options));
  } else {
    const found = await status(options);
    console.log(json ? JSON.stringify(found, null, 2) : describeStatus(found));
    return found.state === 'running' ? 0 : 1;
  }
  return 0;
}

/** The status as text. */
export function describeStatus(found: ClusterStatus): string {
  const lines = [`${found.state}, state in ${found.stateDir}`];
  if (found.checkout !== undefined) {
    const mode = found.outside ? 'pods may reach the outside' : 'nothing that a pod sends leaves the machine';
    lines.push(
      `started ${found.startedAt} from ${found.checkout}; ${mode}`,
      `node ${found.nodeReady ? 'ready' : 'not ready'}`,
    );
  }
  if (found.state !== 'absent')
    for (const program of found.programs)
      lines.push(`  ${program.name.padEnd(24)} ${program.alive ? `pid ${program.pid}` : 'not running'}`);
  if (found.state !== 'running') lines.push('start it: npm run cluster -- up');
  return lines.join('\n');
}

async function main(): Promise<number> {
  try {
    const invocation = parseCommandLine(process.argv.slice(2));
    if (invocation) return await run(invocation);
    console.log(HELP);
    return 0;
  } catch (error) {
    if (!(error instanceof TentacularError)) throw error;
    console.error(`${error.message}\n→ ${error.hint}`);
    return error.code === 'invalid_input' ? 2 : 1;
  }
}

if (import.meta.main) process.exitCode = await main();
