/** Makes tools of plain functions, with one error envelope: what happened and what to do next. */
import { z } from 'zod';
import { toUserMessage } from '../words/errors.ts';
import type { Tool } from '../words/tool.ts';

export function defineTool<Shape extends z.ZodRawShape>(definition: {
  name: string;
  description: string;
  inputSchema: Shape;
  /** Does the work and answers in words for Claude. Throws AppError for a "no" that Claude can act on. */
  run(input: z.output<z.ZodObject<Shape>>): Promise<string>;
}): Tool {
  const schema = z.object(definition.inputSchema);
  return {
    name: definition.name,
    description: definition.description,
    inputSchema: definition.inputSchema,
    call: async (input) => {
      try {
        return { text: await definition.run(schema.parse(input)), isError: false };
      } catch (error) {
        const { message, remedy } = toUserMessage(error);
        return { text: `${message}\n${remedy}`, isError: true };
      }
    },
  };
}
