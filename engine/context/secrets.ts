import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import type { Redactor } from './redact.ts';

/** The folder of secrets: one file a service, each a JSON object. */
export interface SecretFiles {
  /** Names of the services that have a file. */
  list(): readonly string[];
  /** Text of a service's file, or undefined where there is none. */
  read(service: string): string | undefined;
}

/** Reads secrets at each call, so that a rotation needs no restart, and tells the redactor what it read. */
export class Secrets {
  readonly #files: SecretFiles;
  readonly #redactor: Redactor;

  constructor(files: SecretFiles, redactor: Redactor) {
    this.#files = files;
    this.#redactor = redactor;
  }

  /** Reads every file once, so that values are redacted that a node takes from the folder by itself. */
  learnAll(): void {
    for (const service of this.#files.list()) {
      const text = this.#files.read(service);
      if (text === undefined) continue;
      try {
        this.#redactor.learn(JSON.parse(text));
      } catch {
        // Not JSON: the text as a whole is the secret. dependency() says what is wrong with it.
        this.#redactor.learn(text);
      }
    }
  }

  /** Has `text`, which was made from a secret, redacted like the secret itself. */
  cover(text: string): void {
    this.#redactor.learn(text);
  }

  /**
   * Everything of one service.
   * @throws Error where it is missing or no JSON object; never with a value in it
   */
  service(service: string): JsonObject {
    const text = this.#files.read(service);
    if (text === undefined) {
      throw new Error(`secret ${service} is not there; give it in "secrets" when the workflow is applied`);
    }
    const value = parse(text);
    if (!isJsonObject(value)) {
      this.#redactor.learn(text);
      throw new Error(`secret ${service} is not a JSON object; apply it again as {"<key>": "<value>"}`);
    }
    this.#redactor.learn(value);
    return value;
  }

  /**
   * The value that `service.key` names; the key is what follows the first dot.
   * @throws Error where either is missing; names the keys that are there, never a value
   */
  value(reference: string): JsonValue {
    const dot = reference.indexOf('.');
    const service = dot < 0 ? reference : reference.slice(0, dot);
    const all = this.service(service);
    if (dot < 0) return all;
    const key = reference.slice(dot + 1);
    const value = Object.hasOwn(all, key) ? all[key] : undefined;
    if (value === undefined) {
      const keys = Object.keys(all).sort().join(', ') || 'none';
      throw new Error(`secret ${service} has no key ${key}; it has: ${keys}`);
    }
    return value;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
