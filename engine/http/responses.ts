/** Codes of refusals, by what the caller can do about them. */
export type RefusalCode =
  | 'invalid_input'
  | 'not_found'
  | 'method_not_allowed'
  | 'too_large'
  | 'too_many_runs'
  | 'unavailable'
  | 'timeout'
  | 'engine_error';

const baseHeaders = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

export function json(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(text, { status, headers: { ...baseHeaders, ...headers } });
}

/** A request that is refused before anything ran: `{"success": false, "error": {"code", "message"}}`. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: RefusalCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: RefusalCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  response(): Response {
    const body = { success: false, error: { code: this.code, message: this.message } };
    return json(this.status, JSON.stringify(body), this.headers);
  }
}
