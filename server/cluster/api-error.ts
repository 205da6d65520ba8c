import { type ErrorCode, type Fault, invalidInput, TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import { plainText } from './plain-text.ts';

/** One entry of `details.causes` of a Kubernetes Status. */
export interface StatusCause {
  readonly reason: string;
  readonly field: string;
  readonly message: string;
}

export interface ApiFailure {
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** `reason` of the Status object, e.g. `AlreadyExists`. */
  readonly reason: string;
  readonly causes: readonly StatusCause[];
  /** True where a write may or may not have been carried out: read before writing again. */
  readonly unknownOutcome: boolean;
}

/** A refusal of the API server, or no answer from it, as one of our codes; `failure` keeps what the caller branches on. */
export class ApiError extends TentacularError {
  readonly failure: ApiFailure;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint: string; retryable?: boolean; details?: JsonObject; cause?: unknown; failure: ApiFailure },
  ) {
    const { failure, ...rest } = options;
    super(code, message, rest);
    this.failure = failure;
  }
}

/** True for an error of the API with this HTTP status (and reason, where given). */
export function isApiError(error: unknown, status: number, reason?: string): error is ApiError {
  if (!(error instanceof ApiError) || error.failure.status !== status) return false;
  return reason === undefined || error.failure.reason === reason;
}

/** True where a write may have been carried out although it ended in an error. */
export function hasUnknownOutcome(error: unknown): error is ApiError {
  return error instanceof ApiError && error.failure.unknownOutcome;
}

/** True for a 409 because other field managers own what we wanted to set (not because of a stale version). */
export function isFieldConflict(error: unknown): error is ApiError {
  return isApiError(error, 409) && error.failure.causes.some((cause) => cause.reason === 'FieldManagerConflict');
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function causesOf(status: JsonObject): StatusCause[] {
  const details = isJsonObject(status.details) ? status.details : {};
  const causes = Array.isArray(details.causes) ? details.causes : [];
  return causes.filter(isJsonObject).map((cause) => ({
    reason: text(cause.reason),
    field: text(cause.field),
    message: text(cause.message),
  }));
}

interface Verdict {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly retryable?: boolean;
}

const policyDenial = /violates PodSecurity|ValidatingAdmissionPolicy|admission webhook .* denied/;
const unknownField = /strict decoding error|field not declared in schema|unknown field|duplicate entries/;

function judge(status: number, reason: string, message: string): Verdict {
  if (policyDenial.test(message)) {
    return { code: 'policy_violation', hint: 'A policy of the cluster refuses this object; change what it names.' };
  }
  if (/exceeded quota|failed quota|exceeds the maximum|maximum .* usage per/.test(message) && status === 403) {
    return { code: 'quota_exceeded', hint: 'Lower the resources, remove another tentacle, or ask for a larger quota.' };
  }
  if (unknownField.test(message)) {
    return { code: 'invalid_input', hint: 'Remove or correct the field that the message names.' };
  }
  if (/is being terminated|NamespaceTerminating/.test(message)) {
    return { code: 'conflict', hint: 'The namespace is being deleted; wait until it is gone.', retryable: true };
  }
  switch (status) {
    case 400:
    case 422:
      return { code: 'invalid_input', hint: 'Correct the fields that the message names and send the call again.' };
    case 401:
      return { code: 'cluster_error', hint: 'The API server does not accept the credentials of the control plane.' };
    case 403:
      return {
        code: 'cluster_error',
        hint: 'The control plane lacks this right; cluster_preflight lists what it needs.',
      };
    case 404:
      return { code: 'not_found', hint: 'Check the name; list what exists.' };
    case 409:
      return { code: 'conflict', hint: 'Read the present state and send the call again.' };
    case 413:
      return { code: 'invalid_input', hint: 'The object is too large for the API server; make it smaller.' };
    case 429:
    case 503:
      return { code: 'unavailable', hint: 'The API server is busy or starting; try again in a few seconds.' };
    case 504:
      return { code: 'timeout', hint: 'The API server took too long; read the state, then try again.' };
    default:
      return reason === 'Timeout' || reason === 'ServerTimeout'
        ? { code: 'timeout', hint: 'The API server took too long; read the state, then try again.' }
        : {
            code: 'cluster_error',
            hint: 'The API server failed; try again, and look at its health.',
            retryable: status >= 500,
          };
  }
}

/** What a Secret's refusal may say: never what the API server quotes from it. */
function withoutValues(message: string): string {
  return message
    .replace(/Invalid value: .*?(?=: |$)/g, 'Invalid value')
    .replace(/Unsupported value: .*?(?=: |$)/g, 'Unsupported value');
}

/**
 * The error for an answer of the API server. `subject` says what was tried: `apply Deployment/team/hello`.
 * `secret` = the object is a Secret, of which no value may be quoted.
 */
export function errorOfAnswer(
  subject: string,
  status: number,
  body: JsonValue | undefined,
  options: { readonly write: boolean; readonly secret: boolean },
): ApiError {
  const answer = isJsonObject(body) ? body : {};
  const reason = text(answer.reason);
  const causes = causesOf(answer);
  const said = plainText(text(answer.message) || `HTTP ${status}`);
  const message = options.secret ? withoutValues(said) : said;
  const verdict = judge(status, reason, said);
  const failure: ApiFailure = {
    status,
    reason,
    causes,
    unknownOutcome: options.write && status >= 500 && verdict.code !== 'invalid_input',
  };
  const faults = verdict.code === 'invalid_input' && !options.secret ? faultsOf(causes) : [];
  const details = faults.length > 0 ? invalidInput(subject, faults).details : undefined;
  return new ApiError(verdict.code, `Cannot ${subject}: ${message}`, {
    hint: verdict.hint,
    ...(verdict.retryable === undefined ? {} : { retryable: verdict.retryable }),
    ...(details === undefined ? {} : { details }),
    failure,
  });
}

function faultsOf(causes: readonly StatusCause[]): Fault[] {
  return causes.map((cause) => ({ path: cause.field, message: plainText(cause.message, 300) }));
}

/** The error for a request to which no answer came. */
export function errorOfSilence(
  subject: string,
  cause: unknown,
  options: { readonly kind: 'timeout' | 'unreachable' | 'cancelled'; readonly unknownOutcome: boolean },
): ApiError {
  const failure: ApiFailure = { status: 0, reason: '', causes: [], unknownOutcome: options.unknownOutcome };
  if (options.kind === 'timeout') {
    const message = `Cannot ${subject}: the API server gave no answer in time`;
    return new ApiError('timeout', message, { hint: 'Read the state, then try again.', cause, failure });
  }
  if (options.kind === 'cancelled') {
    return new ApiError('unavailable', `Stopped: ${subject} was cancelled by the caller`, {
      hint: 'Send the call again if it is still wanted.',
      cause,
      failure,
    });
  }
  return new ApiError('unavailable', `Cannot ${subject}: the API server cannot be reached`, {
    hint: 'Check that the API server is up; the call may be repeated.',
    cause,
    failure,
  });
}

/** True where the object has moved since it was read (other version, deleted, made anew): read it again. */
export function isStale(error: unknown): error is ApiError {
  if (isApiError(error, 409)) return !isFieldConflict(error);
  // An object that was deleted and made anew has another uid; the API server calls that an invalid change of it.
  return isApiError(error, 422) && error.failure.causes.some((cause) => cause.field === 'metadata.uid');
}
