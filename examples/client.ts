import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, exit, stderr, stdout } from 'node:process';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { parse } from 'yaml';
import { isJsonObject, type JsonObject } from '../constructs/model/json.ts';
import type { EnclaveSource, TentacleSource } from '../constructs/source.ts';
import { readWorkspace } from '../constructs/workspace.ts';
import { describeFileFaults, parseWorkspace } from '../constructs/workspace-parse.ts';

/**
 * A small MCP client: what an agent does with this server, written down. Brings every enclave and tentacle of this
 * folder to a cluster, and runs `hello`.
 *
 *     node examples/client.ts http://127.0.0.1:30080/mcp <file with the token>
 *
 * Again and again without harm: what is there already is `unchanged`.
 */
const timeoutMs = 300_000;

async function main(url: string, tokenFile: string): Promise<void> {
  const token = (await readFile(tokenFile, 'utf8')).trim();
  const client = new Client({ name: 'tentacular-examples', version: '0.1.0' });
  const headers = { authorization: `Bearer ${token}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  try {
    const { enclaves, tentacles, faults } = parseWorkspace(await readWorkspace(import.meta.dirname));
    if (faults.length > 0) throw new Error(describeFileFaults(faults));
    await Promise.all(enclaves.map((enclave) => provision(client, enclave)));
    await Promise.all(tentacles.map((tentacle) => apply(client, tentacle)));
    const hello = tentacles.find((tentacle) => tentacle.name === 'hello');
    if (hello !== undefined) await runHello(client, hello.enclave);
  } finally {
    await client.close();
  }
}

async function provision(client: Client, enclave: EnclaveSource): Promise<void> {
  const made = await call(client, 'enclave_provision', {
    name: enclave.name,
    owner_email: enclave.ownerEmail,
    owner_sub: enclave.ownerSub,
    members: enclave.members && [...enclave.members],
    mode: enclave.mode,
    default_mode: enclave.defaultMode,
    quota_preset: enclave.quotaPreset,
    platform: enclave.platform,
    channel_id: enclave.channelId,
    channel_name: enclave.channelName,
  });
  const count = Array.isArray(made.resources_created) ? made.resources_created.length : 0;
  say(`enclave ${enclave.name}: ${count === 0 ? 'unchanged' : `${count} objects created`}`);
}

async function apply(client: Client, source: TentacleSource & { readonly name: string }): Promise<void> {
  const { enclave, name, workflow, files } = source;
  const started = Date.now();
  const secrets = await exampleSecrets(enclave, name);
  const applied = await call(client, 'wf_apply', { enclave, name, workflow, files: { ...files }, secrets, wait: true });
  const rollout = isJsonObject(applied.rollout) ? applied.rollout : {};
  if (rollout.state !== undefined && rollout.state !== 'complete') {
    throw new Error(`${enclave}/${name} is ${rollout.state}: ${rollout.message ?? 'no reason given'}`);
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  say(`tentacle ${enclave}/${name}: ${applied.status}, revision ${applied.revision} (${seconds} s)`);
}

/** Made-up credentials. Real ones are never in Git: they come with `tntc deploy --secrets`, or from another Secret. */
async function exampleSecrets(enclave: string, name: string): Promise<JsonObject | undefined> {
  try {
    const path = join(import.meta.dirname, 'enclaves', enclave, name, 'secrets.example.yaml');
    const secrets: unknown = parse(await readFile(path, 'utf8'));
    if (isJsonObject(secrets)) return secrets;
    throw new Error(`${path} must map services to keys and values`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function runHello(client: Client, enclave: string): Promise<void> {
  const input = { name: 'Ada' };
  const run = await call(client, 'wf_run', { enclave, name: 'hello', input });
  stdout.write(`wf_run ${enclave}/hello ${JSON.stringify(input)}: ${run.status} in ${run.duration_ms} ms\n`);
  stdout.write(`${JSON.stringify(run.output, null, 2)}\n`);
  if (run.status !== 'succeeded') throw new Error(`the run of hello is ${run.status}: ${JSON.stringify(run.error)}`);
}

/** One tool call; what the server says on the way goes to stderr. Throws with message and hint of a tool's error. */
async function call(client: Client, name: string, input: JsonObject): Promise<JsonObject> {
  const args = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const result = await client.callTool(
    { name, arguments: args },
    { timeout: timeoutMs, onprogress: ({ message }) => message && say(message) },
  );
  const answer = isJsonObject(result.structuredContent) ? result.structuredContent : {};
  if (result.isError) throw new Error(`${name}: ${answer.message}\n${answer.hint}`);
  return answer;
}

function say(line: string): void {
  stderr.write(`${line}\n`);
}

const [url, tokenFile] = argv.slice(2);
if (url === undefined || tokenFile === undefined) {
  say('usage: node examples/client.ts <url> <file with the token>');
  exit(2);
}
await main(url, tokenFile).catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  exit(1);
});
