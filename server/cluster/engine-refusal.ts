import { type ErrorCode, TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonValue } from '../../constructs/model/json.ts';
import { plainText } from './plain-text.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** What a refusal of the engine means to whoever called the tool, by its HTTP status (engine.md). */
const meanings: Readonly<Record<number, Meaning>> = {
  400: { code: 'invalid_input', message: 'refuses the request', hint: 'Correct what the message names.' },
  408: {
    code: 'timeout',
    message: 'did not get the whole input in time',
    hint: 'Nothing ran; send the call again.',
  },
  413: { code: 'invalid_input', message: 'refuses the input: it is too large', hint: 'Send a smaller input.' },
  414: { code: 'invalid_input', message: 'refuses the request: it is too long', hint: 'Take a shorter run id.' },
  422: { code: 'invalid_input', message: 'refuses the request', hint: 'Correct what the message names.' },
  429: {
    code: 'unavailable',
    message: 'has as many runs under way as config.max_concurrency allows',
    hint: 'Wait for a run to end, or raise config.max_concurrency.',
  },
  431: {
    code: 'invalid_input',
    message: 'refuses the request: its headers are too long',
    hint: 'Take a shorter idempotency_key.',
  },
  503: {
    code: 'unavailable',
    message: 'is starting or ending',
    hint: 'Try again in a few seconds; wf_status tells how the rollout is.',
  },
};

/** The error for an answer of an engine that is none to what was asked. */
export function engineRefusal(
  target: { readonly enclave: string; readonly name: string },
  answer: { readonly status: number },
  body: JsonValue | undefined,
  runId?: string,
): TentacularError {
  const of = `The engine of "${target.name}" in "${target.enclave}"`;
  const details = runId === undefined ? {} : { details: { run_id: runId } };
  const meaning = meanings[answer.status];
  if (meaning === undefined) {
    const message = `${of} answered HTTP ${answer.status}, which is no answer of an engine`;
    return new TentacularError('cluster_error', message, { hint: 'Look at wf_logs of the tentacle.', ...details });
  }
  const { code, message, hint } = meaning;
  return new TentacularError(code, `${of} ${message}${reasonIn(body)}`, { hint, ...details });
}

/** `{"success": false, "error": {"code", "message"}}`: text of a program in a pod, so cleaned and capped. */
function reasonIn(body: JsonValue | undefined): string {
  const error = isJsonObject(body) ? body.error : undefined;
  const message = isJsonObject(error) ? error.message : undefined;
  return typeof message === 'string' && message !== '' ? `: ${plainText(message, 300)}` : '';
}
