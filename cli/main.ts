#!/usr/bin/env node
import { constants, homedir } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { exitCodes } from './cli-error.ts';
import { dropUnfinished, isCode } from './private-file.ts';
import { run } from './run.ts';

// Whoever reads the output may stop before its end (`| head`).
process.stdout.on('error', (error) => {
  if (isCode(error, 'EPIPE')) process.exit();
  process.stderr.write(`tntc failed: the output cannot be written: ${error.message}\n`);
  process.exit(exitCodes.failed);
});

process.on('exit', dropUnfinished);
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  home: homedir(),
  cwd: process.cwd(),
  out: (text) => process.stdout.write(text),
  note: (text) => process.stderr.write(`${text}\n`),
  now: Date.now,
  ask: async (question) => {
    // The question is to be seen as well as answered.
    if (!(process.stdin.isTTY && process.stderr.isTTY)) return undefined;
    const reader = createInterface({ input: process.stdin, output: process.stderr });
    // Ctrl-D and Ctrl-C end the question without an answer.
    const ended = new Promise<string>((resolve) => reader.once('close', () => resolve('')));
    try {
      return /^y(es)?$/i.test((await Promise.race([reader.question(`${question} [y/N] `), ended])).trim());
    } finally {
      reader.close();
    }
  },
});
