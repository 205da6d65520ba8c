#!/usr/bin/env node
import { homedir } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { isCode } from './private-file.ts';
import { run } from './run.ts';

// Whoever reads the output may stop before its end (`| head`).
process.stdout.on('error', (error) => {
  if (!isCode(error, 'EPIPE')) throw error;
  process.exit();
});

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  home: homedir(),
  cwd: process.cwd(),
  out: (text) => process.stdout.write(text),
  note: (text) => process.stderr.write(`${text}\n`),
  now: Date.now,
  ask: async (question) => {
    if (!process.stdin.isTTY) return undefined;
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
