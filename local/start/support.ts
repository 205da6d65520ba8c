import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import { runCommand } from '../run-command.ts';
import type { InstallTarget } from './control-plane.ts';

const rolloutTimeoutSeconds = 120;

/**
 * Applies the service that the examples talk to (examples/support/echo.yaml) and waits until it is ready.
 * @param image Full name of the echo image.
 */
export async function ensureEcho(target: InstallTarget, image: string): Promise<void> {
  const path = resolve(import.meta.dirname, '../../examples/support/echo.yaml');
  const documents = parseAllDocuments(await readFile(path, 'utf8')).map((document) => document.toJS() as JsonValue);
  const objects = documents.filter((document) => isJsonObject(document)).map((object) => withImage(object, image));
  const kubectl = (args: readonly string[], input = '') =>
    runCommand(target.kubectl, ['--kubeconfig', target.kubeconfig, ...args], {
      input,
      timeoutMs: (rolloutTimeoutSeconds + 10) * 1000,
    });
  const list: JsonObject = { apiVersion: 'v1', kind: 'List', items: objects };
  await kubectl(
    ['apply', '--server-side', '--force-conflicts', '--field-manager', 'tentacular-start', '-f', '-'],
    JSON.stringify(list),
  );
  for (const object of objects) {
    if (object.kind !== 'Deployment' || !isJsonObject(object.metadata)) continue;
    const { name, namespace } = object.metadata;
    const rollout = ['rollout', 'status', `deployment/${name}`, '-n', `${namespace}`];
    await kubectl([...rollout, `--timeout=${rolloutTimeoutSeconds}s`]);
  }
}

/** The image of every container of a Deployment replaced: the file names the one of a plain checkout. */
function withImage(object: JsonObject, image: string): JsonObject {
  const text = JSON.stringify(object, (key, value: unknown) =>
    key === 'image' && typeof value === 'string' && value.includes('tentacular-echo') ? image : value,
  );
  return JSON.parse(text) as JsonObject;
}
