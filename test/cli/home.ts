import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { run } from '../../cli/run.ts';
import type { Terminal } from '../../cli/terminal.ts';

/** What an MCP server says to the question whether it is there. */
export const pong = '{"jsonrpc":"2.0","id":1,"result":{}}';

/** A user's home folder and a project, and what the terminal showed. */
export interface Home {
  readonly path: string;
  readonly project: string;
  user(config: object): void;
  projectConfig(config: object): void;
  /** Runs one command line; `asked` collects questions, `answer` is what the user says. */
  tntc(args: readonly string[], more?: Partial<Terminal>): Promise<Shown>;
  remove(): void;
}

export interface Shown {
  readonly code: number;
  readonly out: string;
  readonly notes: readonly string[];
}

export function makeHome(): Home {
  const root = mkdtempSync(join(tmpdir(), 'tentacular-cli-'));
  const [path, project] = [join(root, 'home'), join(root, 'project')];
  for (const folder of [path, project]) mkdirSync(join(folder, '.tentacular'), { recursive: true });
  const write = (folder: string, config: object) =>
    writeFileSync(join(folder, '.tentacular/config.yaml'), stringify(config));
  return {
    path,
    project,
    user: (config) => write(path, config),
    projectConfig: (config) => write(project, config),
    async tntc(args, more = {}) {
      let out = '';
      const notes: string[] = [];
      const code = await run(args, {
        env: {},
        home: path,
        cwd: project,
        out: (text) => {
          out += text;
        },
        note: (text) => notes.push(text),
        ask: async () => undefined,
        now: Date.now,
        ...more,
      });
      return { code, out, notes };
    },
    remove: () => rmSync(root, { recursive: true }),
  };
}
