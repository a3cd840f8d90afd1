/** Makes tools of plain functions, with one error envelope: what happened and what to do next. */
import { z } from 'zod';
import { AppError, toUserMessage } from '../words/errors.ts';
import type { Tool } from '../words/tool.ts';

export function defineTool<Shape extends z.ZodRawShape>(definition: {
  name: string;
  description: string;
  inputSchema: Shape;
  /** Does the work and answers in words for Claude. Throws AppError for a "no" that Claude can act on. */
  run(input: z.output<z.ZodObject<Shape>>): Promise<string>;
}): Tool {
  const schema = z.strictObject(definition.inputSchema);
  return {
    name: definition.name,
    description: definition.description,
    inputSchema: definition.inputSchema,
    call: async (input) => {
      try {
        const given = schema.safeParse(input);
        if (!given.success) throw unfit(definition.name, given.error);
        return { text: await definition.run(given.data), isError: false };
      } catch (error) {
        const { message, remedy } = toUserMessage(error);
        return { text: `${message}\n${remedy}`, isError: true };
      }
    },
  };
}

function unfit(name: string, error: z.ZodError): AppError {
  const problems = error.issues.map(({ path, message }) => [...path, message].join(': '));
  return new AppError('invalid_input', `Invalid arguments for ${name}: ${problems.join('; ')}.`, {
    remedy: 'Correct them and call it again.',
  });
}
