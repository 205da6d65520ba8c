import { expect, it } from 'vitest';
import type { ServeOptions } from '../../../engine/process/deno.ts';
import { listen } from '../../../engine/process/listen.ts';

const named = (name: string) => Object.assign(new Error(name), { name });

function listenWhere(refused: Readonly<Record<string, Error>>, host?: string): string[] {
  const tried: string[] = [];
  const serve = ({ hostname }: ServeOptions) => {
    tried.push(hostname);
    const error = refused[hostname];
    if (error !== undefined) throw error;
    return { shutdown: async () => undefined };
  };
  const options = host === undefined ? { port: 8080 } : { port: 8080, host };
  listen(
    { serve },
    options,
    async () => new Response(),
    () => undefined,
  );
  return tried;
}

it('listens on both families at once where there is IPv6', () => {
  expect(listenWhere({})).toEqual(['::']);
});

it('listens on IPv4 alone in a pod without IPv6', () => {
  expect(listenWhere({ '::': named('AddrNotAvailable') })).toEqual(['::', '0.0.0.0']);
  // Where the kernel knows no such family at all, Deno has no name of its own for the error.
  expect(listenWhere({ '::': named('Error') })).toEqual(['::', '0.0.0.0']);
});

it('a port that is taken is an error at once, not a reason to answer on half of the addresses', () => {
  expect(() => listenWhere({ '::': named('AddrInUse') })).toThrow('AddrInUse');
});

it('an address that was asked for is the only one', () => {
  expect(() => listenWhere({ '127.0.0.9': named('AddrNotAvailable') }, '127.0.0.9')).toThrow(
    'cannot listen on port 8080 of 127.0.0.9',
  );
});
