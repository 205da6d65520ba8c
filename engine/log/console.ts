import type { NodeLog } from '../api.ts';
import { printableMessage } from './printable.ts';

/** The part of `console` that is replaced. */
type Method = (...values: unknown[]) => void;

const silent: Method = () => undefined;

/**
 * Makes `console` write through the structured log, with the node's name and without secrets. Timers, counters and
 * groups of `console` write nothing: they have no place in a log that many nodes share.
 * @param log the log to use at the time of the call
 */
export function captureConsole(target: Console, log: () => NodeLog): void {
  const methods: Readonly<Record<string, Method>> = {
    debug: (...values) => log().debug(printableMessage(values)),
    log: (...values) => log().info(printableMessage(values)),
    info: (...values) => log().info(printableMessage(values)),
    dir: (value) => log().info(printableMessage([value])),
    dirxml: (...values) => log().info(printableMessage(values)),
    table: (value) => log().info(printableMessage([value])),
    warn: (...values) => log().warn(printableMessage(values)),
    trace: (...values) => log().debug(printableMessage(values)),
    error: (...values) => log().error(printableMessage(values)),
    assert: (condition, ...values) => {
      if (!condition) log().error(`assertion failed: ${printableMessage(values)}`);
    },
  };
  const quiet = ['clear', 'count', 'countReset', 'group', 'groupCollapsed', 'groupEnd', 'time', 'timeEnd', 'timeLog'];
  for (const name of quiet) Reflect.set(target, name, silent);
  for (const [name, method] of Object.entries(methods)) Reflect.set(target, name, method);
}
