import { z } from 'zod';
import { errorCodes } from '../../constructs/model/errors.ts';

/** What a tool result with `isError: true` carries as `structuredContent`. */
export const toolErrorShape = z.strictObject({
  code: z.enum(errorCodes),
  message: z.string(),
  hint: z.string().describe('What to do next.'),
  details: z.record(z.string(), z.unknown()).optional(),
});

export type ToolErrorResult = z.infer<typeof toolErrorShape>;
