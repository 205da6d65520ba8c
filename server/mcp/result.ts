import type { CallToolResult } from '@modelcontextprotocol/server';
import { TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import type { ToolErrorResult } from '../api/errors.ts';
import { cleanJson, cleanText } from '../tools/untrusted.ts';

/** Longest reply, in characters of its JSON. */
const maxReplyLength = 50_000;
/** Longest message and hint of an error, in characters. */
const maxMessageLength = 8000;
const maxHintLength = 1000;
/** Longest `details` of an error, in characters of its JSON. */
const maxDetailsLength = 20_000;

/** Structured content and the same JSON as text, for clients that show the model only one of them. */
export function successResult(output: JsonObject): CallToolResult {
  const text = JSON.stringify(output);
  if (text.length > maxReplyLength) {
    throw new TentacularError(
      'cluster_error',
      `The reply has ${text.length} characters; at most ${maxReplyLength} go out.`,
      {
        hint: 'Ask for less: a smaller limit, fewer lines, one object.',
      },
    );
  }
  return { content: [{ type: 'text', text }], structuredContent: output };
}

export function errorResult(error: TentacularError): CallToolResult {
  const structured: ToolErrorResult = {
    code: error.code,
    message: cleanText(error.message, maxMessageLength),
    hint: cleanText(error.hint, maxHintLength),
    ...(error.details ? { details: boundedDetails(error.details) } : {}),
  };
  return {
    content: [{ type: 'text', text: JSON.stringify(structured) }],
    structuredContent: structured,
    isError: true,
  };
}

/** Details cleaned, and cut list by list where they are too long. */
function boundedDetails(details: JsonObject): JsonObject {
  const clean = cleanJson(details, 1000);
  if (!isJsonObject(clean)) return {};
  for (let keep = 50; JSON.stringify(clean).length > maxDetailsLength && keep >= 1; keep = Math.floor(keep / 2)) {
    for (const [key, value] of Object.entries(clean)) {
      if (Array.isArray(value) && value.length > keep) clean[key] = value.slice(0, keep);
    }
  }
  return JSON.stringify(clean).length > maxDetailsLength ? { truncated: true } : clean;
}
