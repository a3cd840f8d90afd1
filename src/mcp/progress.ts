/** `github_progress`: what the backend that started the task hears while it is worked on. */
import { z } from 'zod';
import type { Progress } from '../words/result.ts';
import type { ToolServer } from '../words/tool.ts';
import { defineTool } from './tool.ts';

/** @param report takes Claude's text as data; how the task ended is not Claude's to say. */
export function progressServer(report: (progress: Progress) => Promise<void>): ToolServer {
  return {
    name: 'github_progress',
    tools: [
      defineTool({
        name: 'update_claude_progress',
        description:
          'Tells whoever started this task how it goes. Call it when you start, whenever a part is finished, and before you end. That the task is completed or failed is reported for you when you stop.',
        inputSchema: {
          message: z.string().min(1).describe('What you are doing or have found, GitHub markdown.'),
          status: z
            .enum(['in_progress', 'completed', 'failed'])
            .optional()
            .describe('Sent as `in_progress` whatever it is: how the task ended is reported when you stop.'),
          completed_tasks: z
            .array(z.string().min(1))
            .optional()
            .describe('All parts that are done so far, in order: the whole list each time.'),
          current_task: z.string().optional().describe('The part that you work on now.'),
        },
        run: async ({ message, completed_tasks: completedTasks, current_task: currentTask }) => {
          await report({ status: 'in_progress', message, completedTasks, currentTask });
          return 'The progress is on its way.';
        },
      }),
    ],
  };
}
