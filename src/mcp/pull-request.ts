/** `github_pull_request`: title and description of the pull request that Claude's work is on. */
import { z } from 'zod';
import type { ToolServer } from '../words/tool.ts';
import { defineTool } from './tool.ts';

/** @param update takes Claude's text as data; what people wrote around it is kept by who writes it. */
export function pullRequestServer(
  update: (text: { title?: string; body: string }) => Promise<string>,
): ToolServer {
  return {
    name: 'github_pull_request',
    tools: [
      defineTool({
        name: 'update_pull_request',
        description:
          "Sets title and description of your pull request. Give the whole description each time: what changed, why, and how it was tested, in the sections of the repository's pull request template when it has one. The link to the issue is added, and what people wrote stays. Call it when your work is pushed, and again when its scope changes.",
        inputSchema: {
          title: z
            .string()
            .min(1)
            .max(256)
            .optional()
            .describe('The new title, one line; left out, it stays as it is.'),
          body: z.string().min(1).max(60_000).describe('The whole new description, GitHub markdown.'),
        },
        run: update,
      }),
    ],
  };
}
