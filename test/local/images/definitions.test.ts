import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { imageDefinitions, imageNames } from '../../../local/images/definitions.ts';
import { projectRoot } from '../../support/source-files.ts';

/** The instructions of a Dockerfile's last stage, by keyword. */
function lastStage(file: string): Map<string, string> {
  const lines = readFileSync(join(projectRoot, file), 'utf8').split('\n');
  const start = lines.findLastIndex((line) => line.startsWith('FROM '));
  return new Map(
    lines.slice(start).flatMap((line) => {
      const [, keyword, rest] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
      return keyword === undefined || rest === undefined ? [] : [[keyword, rest] as const];
    }),
  );
}

describe.each(imageNames)('the Dockerfile of %s', (name) => {
  const { config, dockerfile, program } = imageDefinitions[name];
  const stage = lastStage(dockerfile);
  const json = (words: readonly string[] | undefined) => (words === undefined ? undefined : JSON.stringify(words));

  it('starts from nothing, so that its files are those of the definition', () => {
    expect(stage.get('FROM')).toBe('scratch');
    expect(stage.get('COPY')).toBe('--from=build /rootfs/ /');
  });

  it('runs as the same user, in the same folder, with the same command, environment and ports', () => {
    const env = Object.entries(config.env ?? {}).map(([key, value]) => `${key}=${value}`);
    expect({
      user: stage.get('USER'),
      workingDir: stage.get('WORKDIR'),
      entrypoint: stage.get('ENTRYPOINT'),
      cmd: stage.get('CMD'),
      env: stage.get('ENV')?.split(' '),
      ports: stage.get('EXPOSE')?.split(' ').map(Number),
    }).toEqual({
      user: config.user,
      workingDir: config.workingDir,
      entrypoint: json(config.entrypoint),
      cmd: json(config.cmd),
      env: env.length === 0 ? undefined : env,
      ports: config.exposedPorts,
    });
  });

  it('makes the files by the same code, or with the same compiler flags', () => {
    const text = readFileSync(join(projectRoot, dockerfile), 'utf8');
    if (program.kind === 'bundle') {
      expect(text).toContain(`node local/images/write-root.ts ${name} /rootfs`);
    } else {
      const source = readFileSync(join(projectRoot, 'local/binaries/go-build.ts'), 'utf8');
      expect(source).toContain("'-trimpath', '-buildvcs=false', '-ldflags', '-s -w -buildid='");
      expect(text).toContain(
        `go build -trimpath -buildvcs=false -ldflags "-s -w -buildid=" -o /rootfs${program.target} .`,
      );
      expect(text).toContain(`COPY ${program.source}/ ./`);
    }
  });

  it('builds with the Node version that the checkout runs', () => {
    const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    if (program.kind !== 'bundle') return;
    const text = readFileSync(join(projectRoot, dockerfile), 'utf8');
    expect(text).toContain(`FROM node:${manifest.devDependencies.node}-bookworm AS build`);
  });
});
