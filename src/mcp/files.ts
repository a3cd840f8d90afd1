/** `github_file_ops`: hands Claude's work to the host, which publishes it through the gate. */
import { z } from 'zod';
import { AppError } from '../words/errors.ts';
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

export interface FileCommit {
  message: string;
  /** `paths`: absolute or relative to the checkout; `remove`: whether they are deleted. */
  files: { paths: string[]; remove: boolean };
}

/**
 * The same server where GitHub makes and signs the commits.
 * @param commit commits and publishes these files and answers what happened; throws AppError with what to repair.
 */
export function fileCommitsServer(commit: (request: FileCommit) => Promise<string>): ToolServer {
  const paths = z.array(z.string().min(1)).min(1);
  const message = z.string().trim().min(1).describe('The commit message: what changes and why.');
  const where = 'absolute, or relative to the top of the checkout';
  return {
    name: 'github_file_ops',
    tools: [
      defineTool({
        name: 'commit_files',
        description:
          'Commits files as they are in your checkout, in one commit that GitHub signs, and publishes it on the branch of this task. Names, modes and links are kept; a file that you have deleted is deleted. The host checks the commit first; a refusal says what to change.',
        inputSchema: {
          files: paths.describe(`Paths of changed files: ${where}. A directory means all below it.`),
          message,
        },
        run: ({ files, message }) => commit({ message, files: { paths: files, remove: false } }),
      }),
      defineTool({
        name: 'delete_files',
        description:
          'Deletes files from your checkout, in one commit that GitHub signs, and publishes it on the branch of this task. The host checks the commit first; a refusal says what to change.',
        inputSchema: {
          paths: paths
            .optional()
            .describe(`Paths of the files to delete: ${where}. A directory means all below it.`),
          files: paths.optional().describe('The same as `paths`.'),
          message,
        },
        run: ({ paths, files, message }) => {
          const named = [...(paths ?? []), ...(files ?? [])];
          if (!named.length)
            throw new AppError('invalid_input', 'No file was named.', { remedy: 'Give `paths`.' });
          return commit({ message, files: { paths: named, remove: true } });
        },
      }),
    ],
  };
}
