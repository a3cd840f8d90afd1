/** The progress event as JSON Schema (draft 2020-12), for receivers of any language. */
import * as z from 'zod/mini';
import { progressEvent } from '../words/progress.ts';

/** Open to members that later versions add. */
export const progressSchema: Record<string, unknown> = z.toJSONSchema(progressEvent, { io: 'input' });
