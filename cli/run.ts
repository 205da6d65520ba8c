import { Command, CommanderError, Option } from 'commander';
import { showHidden } from '../constructs/model/text.ts';
import { CliError, exitCodes, reasonOf } from './cli-error.ts';
import type { OutputFormat } from './printed.ts';
import type { Terminal } from './terminal.ts';

interface GlobalOptions {
  readonly env?: string;
  readonly output: OutputFormat;
}

/** Runs one command line and gives its exit code. What a command needs is loaded when it runs: help must be quick. */
export async function run(args: readonly string[], outside: Terminal): Promise<number> {
  // What a server, an issuer or a project says must not steer the terminal, nor rewrite the question about it.
  const terminal: Terminal = {
    ...outside,
    note: (text) => outside.note(linesOf(text)),
    ask: (question) => outside.ask(showHidden(question)),
  };
  try {
    await program(terminal).parseAsync(args, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    // Help and version end here too, with 0; everything else that commander refuses is usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (error instanceof CliError) {
      terminal.note(error.message);
      return error.exitCode;
    }
    terminal.note(`tntc failed: ${reasonOf(error)}`);
    return exitCodes.failed;
  }
}

function linesOf(text: string): string {
  return text.split('\n').map(showHidden).join('\n');
}

function program(terminal: Terminal): Command {
  const root = new Command('tntc')
    .description('Tentacular: workflows on Kubernetes, through its MCP server.')
    .option('--env <name>', 'environment of .tentacular/config.yaml (else TENTACULAR_ENV, else default_env)')
    .addOption(
      new Option('-o, --output <format>', 'how results are printed').choices(['text', 'json', 'yaml']).default('text'),
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.note(text.trimEnd()) })
    .exitOverride();
  const identity = () => import('./identity.ts');
  const action =
    (perform: (options: GlobalOptions & { admin?: boolean }) => Promise<object>) =>
    async (_local: object, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { admin?: boolean }>();
      const result = await perform(options);
      terminal.out((await import('./printed.ts')).printed(result, options.output));
    };
  root
    .command('login')
    .description('log in on a web page, by device code')
    .action(action(async (options) => (await identity()).login(terminal, options)));
  root
    .command('logout')
    .description('end the session and forget its tokens')
    .action(action(async (options) => (await identity()).logout(terminal, options)));
  root
    .command('whoami')
    .description('show who you are, once the server has let you in')
    .option('--admin', 'with the bearer token instead of the login')
    .action(action(async (options) => (await identity()).whoami(terminal, options)));
  return root;
}
