import type { Time } from '../run/time.ts';
import { Refusal } from './responses.ts';

/** Largest body of a request, in bytes. */
export const maxBodyBytes = 1024 * 1024;
/** A body must have arrived within this. */
export const bodyDeadlineMs = 15_000;

/**
 * The body of a request as text.
 * @throws Refusal 413 where it is larger than 1 MiB, whatever its content-length says; 408 where it does not arrive;
 * 400 where it is no UTF-8
 */
export async function readBody(request: Request, time: Time): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBodyBytes) throw tooLarge();
  if (request.body === null) return '';
  const reader = request.body.getReader();
  let late = false;
  const cancelDeadline = time.after(bodyDeadlineMs, () => {
    late = true;
    reader.cancel().catch(() => undefined);
  });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    let text = '';
    let bytes = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      bytes += part.value.byteLength;
      if (bytes > maxBodyBytes) throw tooLarge();
      text += decoder.decode(part.value, { stream: true });
    }
    if (late) throw new Refusal(408, 'timeout', `the body did not arrive within ${bodyDeadlineMs} ms`);
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, 'invalid_input', 'the body could not be read: it is no UTF-8 text, or the caller went away');
  } finally {
    cancelDeadline();
    reader.releaseLock();
  }
}

function tooLarge(): Refusal {
  return new Refusal(413, 'too_large', `the body is larger than ${maxBodyBytes} bytes`, { connection: 'close' });
}
