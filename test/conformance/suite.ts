import type { Era } from '../support/mcp.ts';
import { checksListed, type ExpectedFailures, wireCheck } from './judge.ts';
import { conformance, type Results, resultsOf } from './program.ts';

/** A revision of the protocol that the server claims. */
export type SpecVersion = Era | '2025-06-18';

/** The names of every scenario for servers that the suite has for a revision; extensions of the protocol are none. */
export async function scenariosOf(version: SpecVersion): Promise<string[]> {
  const output = await conformance(['list', '--server', '--spec-version', version]);
  const names = [...output.matchAll(/^ {2}- (\S+) \[/gm)].map(([, name = '']) => name);
  if (names.length === 0) throw new Error(`the conformance suite lists no scenario for ${version}:\n${output}`);
  return names;
}

/** Runs every scenario of a revision against the server. */
export function runSuite(version: SpecVersion, url: string): Promise<Results> {
  return resultsOf('server', ['server', '--url', url, '--suite', 'all', '--spec-version', version]);
}

/** An issuer of tokens, and the client and resource that they are to be for. */
export interface IssuerUnderTest {
  readonly issuer: string;
  readonly clientId: string;
  /** URL of the MCP endpoint. */
  readonly resource: string;
  /** Of the callback on loopback, on which nobody may listen. */
  readonly port: string;
}

/**
 * Runs the scenarios for authorization servers.
 * @param logIn Walks a person from this address through the pages of the issuer to the callback.
 */
export function runIssuerSuite(
  version: SpecVersion,
  { issuer, clientId, resource, port }: IssuerUnderTest,
  logIn: (start: string) => Promise<void>,
): Promise<Results> {
  const args = ['authorization', '--url', issuer, '--client-id', clientId, '--resource', resource, '--port', port];
  const failed = new AbortController();
  let started = false;
  const onOutput = (output: string) => {
    const start = /^https?:\S+response_type=code\S*\n/m.exec(output)?.[0];
    if (started || start === undefined) return;
    started = true;
    // Without the login the program would wait for it until it is ended.
    logIn(start.trim()).catch((error: unknown) => failed.abort(error));
  };
  const options = { onOutput, signal: failed.signal };
  return resultsOf('authorization-server', [...args, '--spec-version', version], options);
}

/** How much of a revision passes, in figures. */
export function summaryOf(results: Results, expected: ExpectedFailures): string {
  const whole = [...results.keys()].filter((name) => Object.hasOwn(expected, name)).length;
  const partly = [...results.keys()].filter((name) => checksListed(name, expected).size > 0).length;
  const passed = [...results.values()].flat().filter(({ id, status }) => status === 'SUCCESS' && id !== wireCheck);
  const scenarios = `${results.size - whole - partly} of ${results.size} scenarios pass, ${partly} but for listed checks`;
  return `${scenarios}, ${whole} fail as listed; ${passed.length} checks pass`;
}
