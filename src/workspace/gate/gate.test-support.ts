/** For the tests of the gate: a project on a server, a depth-1 checkout on its branch, and a gate over it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type OpenFence, openFence, probeFence } from '../../claude/fence.ts';
import { createLog } from '../../words/log.ts';
import {
  checkout,
  commit,
  type GitServer,
  makeProject,
  type Project,
  serveGit,
  shellGit,
} from '../local-remote.test-support.ts';
import { openWorkspace, type Workspace } from '../workspace.ts';
import { createGate, type Gate, type GateRequest } from './gate.ts';
import type { GateLimits } from './gate-state.ts';
import type { Published, PublishRequest } from './publish.ts';

export const limits: GateLimits = {
  protectedPaths: ['.github/workflows/**', '.github/actions/**', '.gitmodules'],
  allowProtectedPaths: false,
  maxChangedFiles: 20,
  maxFileKib: 64,
};

export const target = { repository: 'owner/repo', branch: 'claude/issue-1' };
export const identity = { name: 'claude[bot]', email: 'claude@example.com' };

/** Why there is no fence on this machine; null when there is one. */
export const whyNoFence = await probeFence().then((support) => (support.usable ? null : support.why));

export interface Scene {
  project: Project;
  server: GitServer;
  /** Where Claude works. */
  directory: string;
  base: string;
  workspace: Workspace;
  gate: Gate;
  /** The fence that the gate takes commits through; it does not have the workspace but while publishing. */
  fence: OpenFence | null;
  /** Publishes as the end of a run does, leftovers included, unless changed. */
  publish(change?: Partial<PublishRequest>): Promise<Published>;
  /** The commit of a branch on the server, null when there is none. */
  onServer(branch?: string): string | null;
}

export interface SceneOptions {
  files?: Record<string, string>;
  change?: Partial<GateRequest>;
  depth?: number;
  /** What happens in the project or the checkout before the run. */
  before?: (project: Project) => void;
  beforeRun?: (directory: string) => void;
  fenced?: boolean;
}

export async function scene(options: SceneOptions = {}): Promise<Scene> {
  const project = makeProject(options.files);
  options.before?.(project);
  const server = await serveGit(join(project.root, 'server'));
  const directory = checkout(project, { depth: options.depth });
  options.beforeRun?.(directory);
  const scratch = join(project.root, 'scratch');
  const workspace = await openWorkspace({ directory, scratch });
  const base = workspace.headSha;
  await workspace.startBranch({
    branch: target.branch,
    baseRef: 'main',
    baseSha: base,
    remote: project.fileRemote,
  });
  const request = { workspace: directory, scratch, branch: target.branch, base, targets: [target], limits };
  const fence = options.fenced ? await fenceFor(directory, join(project.root, 'fence')) : null;
  const neverTo = [{ repository: 'owner/repo', branch: 'main' }];
  const gate = await createGate({
    ...request,
    neverTo,
    fence,
    secrets: () => ['hunter2-of-this-run'],
    ...options.change,
  });
  const leftovers = { message: 'Save uncommitted work', identity };
  return {
    ...{ project, server, directory, base, workspace, gate, fence },
    publish: async (change) => {
      await fence?.takeWorkspace();
      try {
        return await gate.publish({ target, remote: server.remote, leftovers, retryDelaysMs: [], ...change });
      } finally {
        await fence?.giveBackWorkspace();
      }
    },
    onServer: (branch = target.branch) => {
      const listed = shellGit(project.bare, 'for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`);
      return listed || null;
    },
  };
}

/** A commit as Claude makes it. */
export function claudeCommits(
  directory: string,
  files: Record<string, string>,
  message = 'Claude’s work',
): string {
  return commit(directory, files, message);
}

/** Handed back at once: what tests do in the workspace, they do as themselves. */
async function fenceFor(workspace: string, scratch: string): Promise<OpenFence> {
  mkdirSync(scratch, { recursive: true });
  const fence = await openFence({
    ...{ workspace, scratch, readOnly: [], egressAllowed: [], log: createLog(() => undefined) },
    environment: { PATH: '/usr/bin:/bin', ANTHROPIC_API_KEY: 'key' },
    limits: { processes: 100, memoryMiB: 1024 },
  });
  await fence.giveBackWorkspace();
  return fence;
}
