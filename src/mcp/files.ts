/** `github_file_ops`: hands Claude's local commits to the host, which publishes them through the gate. */
import type { ToolServer } from '../words/tool.ts';
import { defineTool } from './tool.ts';

/** @param push publishes what is committed and answers what happened; throws AppError with what to repair. */
export function filesServer(push: () => Promise<string>): ToolServer {
  return {
    name: 'github_file_ops',
    tools: [
      defineTool({
        name: 'push_changes',
        description:
          'Publishes the commits of your branch on GitHub. Commit first with git add and git commit. The host checks the commits and pushes them to the branch of this task; a refusal says what to change.',
        inputSchema: {},
        run: push,
      }),
    ],
  };
}
