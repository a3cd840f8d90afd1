/** `github_comment`: what the tracking comment's body shows. */
import { z } from 'zod';
import type { Progress } from '../words/result.ts';
import type { ToolServer } from '../words/tool.ts';
import { defineTool } from './tool.ts';

/** @param report takes Claude's text as data; the comment itself has one writer, which is not Claude. */
export function commentServer(report: (progress: Progress) => Promise<void>): ToolServer {
  return {
    name: 'github_comment',
    tools: [
      defineTool({
        name: 'update_claude_comment',
        description:
          'Replaces the body of your tracking comment on the issue or pull request. Give the whole text each time: GitHub markdown, with a checklist of what is done and what is left. Header, links and the state of the run are added around it.',
        inputSchema: { body: z.string().min(1).describe('The whole new body, GitHub markdown.') },
        run: async ({ body }) => {
          await report({ status: 'in_progress', message: body });
          return 'The comment shows the new text.';
        },
      }),
    ],
  };
}
