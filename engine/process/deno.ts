/** The part of Deno that the engine uses; https://docs.deno.com/api/deno. Its full types would hide Node's elsewhere. */
export interface DenoRuntime {
  readonly args: readonly string[];
  readonly env: { get(name: string): string | undefined };
  readonly stdout: { writeSync(bytes: Uint8Array): number };
  readTextFileSync(path: string): string;
  readDirSync(path: string): Iterable<{ readonly name: string; readonly isDirectory: boolean }>;
  addSignalListener(signal: 'SIGTERM' | 'SIGINT', listener: () => void): void;
  serve(options: ServeOptions, handler: (request: Request) => Promise<Response>): HttpServer;
  exit(code: number): never;
}

export interface ServeOptions {
  readonly hostname: string;
  readonly port: number;
  /** Called once the port is bound. */
  readonly onListen: (address: { readonly hostname: string; readonly port: number }) => void;
}

export interface HttpServer {
  /** Takes no more connections; resolves when the open ones are done. */
  shutdown(): Promise<void>;
}

declare global {
  // Only a `var` declares a property of globalThis; undefined under Node, where the tests of the parts run.
  var Deno: DenoRuntime | undefined;
}

/** @throws Error where the program does not run under Deno */
export function denoRuntime(): DenoRuntime {
  if (globalThis.Deno === undefined) throw new Error('the engine runs under Deno: deno run engine/main.ts');
  return globalThis.Deno;
}
