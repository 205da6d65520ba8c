import process from 'node:process';
import type { DenoRuntime } from './deno.ts';

/**
 * Takes from nodes the ways to end the process that no permission flag covers. A protection against accidents, not a
 * boundary: nodes run in the engine's own process, with the same trust, and `process.abort` imported by name still
 * aborts it. The boundary is the pod.
 * @returns the real `Deno.exit`
 */
export function guardProcess(deno: DenoRuntime): (code: number) => never {
  const exit = deno.exit.bind(deno);
  refuse(deno, 'Deno', ['exit', 'kill']);
  // reallyExit and _kill are what the named exports of node:process end in, which cannot be replaced themselves.
  refuse(process, 'process', ['exit', 'reallyExit', 'abort', 'kill', '_kill']);
  refuse(globalThis, 'globalThis', ['close']);
  return exit;
}

function refuse(target: object, name: string, keys: readonly string[]): void {
  for (const key of keys) {
    Reflect.set(target, key, () => {
      throw new Error(`${name}.${key} is not for nodes: return a value to succeed, throw an error to fail`);
    });
  }
}

/** Reports errors that reached nobody (a promise left behind, a timer that throws) in place of ending the process. */
export function catchUnhandled(report: (thrown: unknown) => void): void {
  onGlobalEvent('unhandledrejection', (event) => report(Reflect.get(event, 'reason')));
  onGlobalEvent('error', (event) => report(Reflect.get(event, 'error')));
}

/** Deno's globalThis is an EventTarget; the types of Node's are not. */
function onGlobalEvent(type: string, handle: (event: Event) => void): void {
  const add: unknown = Reflect.get(globalThis, 'addEventListener');
  if (typeof add !== 'function') throw new Error('globalThis takes no event listeners here');
  const listener = (event: Event) => {
    event.preventDefault();
    handle(event);
  };
  Reflect.apply(add, globalThis, [type, listener]);
}
