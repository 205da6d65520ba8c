/** What is looked at of an error message, in characters. It is redacted, and only then cut to what is shown. */
const maxRawLength = 64 * 1024;
/** Longest error message that leaves the engine, in characters. */
const maxMessageLength = 2000;

/** What a node threw, reduced to what may be shown: never a stack. */
export interface Failure {
  readonly message: string;
  /** False where the node said that trying again cannot help. */
  readonly retryable: boolean;
}

/** Anything can be thrown: an Error, a string, `undefined`, an object with getters that throw in turn. */
export function failureOf(thrown: unknown): Failure {
  try {
    return { message: messageOf(thrown).slice(0, maxRawLength), retryable: !saysFinal(thrown) };
  } catch {
    return { message: 'threw a value that cannot be read', retryable: true };
  }
}

function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return describeError(thrown, 3);
  if (typeof thrown === 'string') return thrown === '' ? 'threw an empty string' : thrown;
  if (typeof thrown === 'object' && thrown !== null) {
    const message: unknown = Reflect.get(thrown, 'message');
    if (typeof message === 'string' && message !== '') return message;
    return `threw ${JSON.stringify(thrown)}`;
  }
  return `threw ${String(thrown)}`;
}

function describeError(error: Error, causes: number): string {
  const name = error.name === 'Error' || error.name === '' ? '' : `${error.name}: `;
  const inner: string[] = [];
  if (error instanceof AggregateError) {
    for (const one of error.errors.slice(0, 5)) inner.push(one instanceof Error ? one.message : String(one));
  }
  if (causes > 0 && error.cause instanceof Error) inner.push(describeError(error.cause, causes - 1));
  const suffix = inner.length === 0 ? '' : ` (${inner.join('; ')})`;
  return `${name}${error.message === '' ? 'no message' : error.message}${suffix}`;
}

function saysFinal(thrown: unknown): boolean {
  return typeof thrown === 'object' && thrown !== null && Reflect.get(thrown, 'retryable') === false;
}

/** A redacted message, cut to what is shown. */
export function cutMessage(message: string): string {
  return message.length <= maxMessageLength ? message : `${message.slice(0, maxMessageLength)}...`;
}
