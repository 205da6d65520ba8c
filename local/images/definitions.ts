import type { ImageConfig } from './oci.ts';

/** The images of this project. `echo` is what tests and examples call over HTTP. */
export const imageNames = ['server', 'engine', 'echo'] as const;
export type ImageName = (typeof imageNames)[number];

/** The program that an image is made around. */
type ImageProgram =
  /** A runtime with its shared libraries (whatever `ldd` names), and one bundled file. */
  | {
      readonly kind: 'bundle';
      readonly runtime: 'node' | 'deno';
      /** Entry point of the bundle, relative to the project's root. */
      readonly entry: string;
      /** Where the bundle lies in the image. */
      readonly target: string;
    }
  /** A static Go binary. */
  | {
      readonly kind: 'go';
      /** Folder of the Go module, relative to the project's root. */
      readonly source: string;
      /** Where the binary lies in the image. */
      readonly target: string;
    };

/** One image: everything that decides its content beside the files it is made from. */
export interface ImageDefinition {
  /** Name without tag, as the embedded cluster knows it. */
  readonly repository: string;
  /** Also built by `docker build -f`; a test holds the Dockerfile to this definition. */
  readonly dockerfile: string;
  /** `content`: version and a digest of the content, so that a changed image is another name. `version`: the version alone. */
  readonly tag: 'content' | 'version';
  readonly program: ImageProgram;
  readonly config: ImageConfig;
}

/** uid and gid that every image runs as: `nobody`, which owns no file. */
const user = '65534:65534';
const path = '/usr/local/bin';

export const imageDefinitions: Readonly<Record<ImageName, ImageDefinition>> = {
  server: {
    repository: 'localhost/tentacular-server',
    dockerfile: 'local/images/server.Dockerfile',
    tag: 'content',
    program: { kind: 'bundle', runtime: 'node', entry: 'server/main.ts', target: '/app/server.mjs' },
    config: {
      entrypoint: ['/usr/local/bin/node', '/app/server.mjs'],
      env: { NODE_ENV: 'production', PATH: path },
      user,
      workingDir: '/app',
      exposedPorts: [8080, 9090],
    },
  },
  engine: {
    repository: 'localhost/tentacular-engine',
    dockerfile: 'local/images/engine.Dockerfile',
    tag: 'content',
    program: { kind: 'bundle', runtime: 'deno', entry: 'engine/main.ts', target: '/engine/main.js' },
    config: {
      // A pod names its own flags, derived from the contract; without them the engine may do nothing.
      cmd: ['deno', 'run', '--no-prompt', '/engine/main.js'],
      env: { DENO_DIR: '/tmp/deno', DENO_NO_UPDATE_CHECK: '1', HOME: '/engine', PATH: path },
      user,
      workingDir: '/engine',
      exposedPorts: [8080],
    },
  },
  echo: {
    repository: 'localhost/tentacular-echo',
    dockerfile: 'local/images/echo.Dockerfile',
    tag: 'version',
    program: { kind: 'go', source: 'examples/support/echo', target: '/echo' },
    config: { entrypoint: ['/echo'], user, exposedPorts: [9000] },
  },
};
