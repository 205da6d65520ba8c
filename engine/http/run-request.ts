import type { Job } from '../engine.ts';
import { jsonTextOf } from '../run/json-value.ts';
import type { Time } from '../run/time.ts';
import { parseTrigger, triggerRule } from '../runs/trigger.ts';
import { traceContextOf } from '../trace/context.ts';
import { maxBodyBytes, readBody } from './read-body.ts';
import { Refusal } from './responses.ts';

/** What a run id may be: visible ASCII, so that it fits in headers, log lines and (encoded) in a path. */
const runIdPattern = /^[!-~]{1,200}$/;

/** Input of the root nodes where the caller sent no body. */
const noInput = '{}';

/**
 * Reads `POST /run`.
 * @throws Refusal where a header or the body is not what it may be
 */
export async function readJob(request: Request, time: Time, newRunId: () => string): Promise<Job> {
  const runId = request.headers.get('x-tentacular-run-id') ?? newRunId();
  if (!runIdPattern.test(runId)) {
    throw new Refusal(400, 'invalid_input', 'x-tentacular-run-id must be 1 to 200 visible ASCII characters');
  }
  const trigger = parseTrigger(request.headers.get('x-tentacular-trigger') ?? 'manual');
  if (trigger === undefined) {
    throw new Refusal(400, 'invalid_input', `x-tentacular-trigger must be ${triggerRule}`);
  }
  const trace = traceContextOf(request.headers);
  const inputText = inputTextOf(await readBody(request, time));
  return trace === undefined ? { runId, trigger, inputText } : { runId, trigger, inputText, trace };
}

/** True where the caller wants `202` at once (RFC 7240). */
export function prefersAsync(headers: Headers): boolean {
  return (headers.get('prefer') ?? '').split(/[,;]/).some((word) => word.trim().toLowerCase() === 'respond-async');
}

function inputTextOf(body: string): string {
  if (body.trim() === '') return noInput;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : '';
    throw new Refusal(400, 'invalid_input', `the body is no JSON: ${why}`);
  }
  // What is nested too deeply to be written again is refused here, not in the middle of a run.
  const json = jsonTextOf(value, maxBodyBytes * 6);
  if (!json.ok) throw new Refusal(400, 'invalid_input', `the body ${json.reason}`);
  return json.text;
}
