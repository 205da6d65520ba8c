import { denoRuntime } from './deno.ts';

// Imported before everything else, for what it does: process 1 of a container ignores a signal that it has no listener
// for, and a pod that is told to stop while it starts would stay for its whole grace period.
const deno = denoRuntime();
const exit = deno.exit.bind(deno);
// Until there is something to stop, nothing was accepted that could be lost.
let stop = (): void => exit(0);
for (const signal of ['SIGTERM', 'SIGINT'] as const) deno.addSignalListener(signal, () => stop());

/** What SIGTERM and SIGINT do from here on, each time that one comes. */
export function onStopSignal(action: () => void): void {
  stop = action;
}
