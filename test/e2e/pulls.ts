/** What stories about pull requests begin with: one that is open, its merge ref, and a call on it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Step } from '../../testkit/claude/step.ts';
import { bash, mcp, write } from '../../testkit/claude/tools.ts';
import type { PullRequest } from '../../testkit/github/model.ts';
import type { RepositoryView } from '../../testkit/github/repository-view.ts';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import type { Scene, Stage } from './stage.ts';

export const germanGreeting = "export const greet = (name) => 'Halo, ' + name;\n";

/** A pull request of a branch that greets in German. */
export async function openPull(stage: Stage, head = 'german'): Promise<PullRequest> {
  const { github, repository } = stage;
  await repository.addCommit({
    branch: head,
    message: 'Greet in German',
    files: { 'src/greet.de.js': germanGreeting },
  });
  return github.createPullRequest(repository, { title: 'German', body: 'Adds it.', head, author: 'octocat' });
}

/** The same from a fork of monalisa's. */
export async function openForkPull(
  stage: Stage,
  { head = 'german', maintainerCanModify = true, files = {} as Record<string, string> } = {},
): Promise<{ pull: PullRequest; fork: RepositoryView }> {
  const { github, repository } = stage;
  const fork = await github.fork(repository, 'monalisa');
  await fork.addCommit({
    branch: head,
    message: 'Greet in German',
    files: { 'src/greet.de.js': germanGreeting, ...files },
  });
  const pull = await github.createPullRequest(repository, {
    title: 'German',
    body: 'Adds it.',
    head: `monalisa:${head}`,
    author: 'monalisa',
    maintainerCanModify,
  });
  return { pull, fork };
}

/** octocat calls Claude in the conversation of a pull request. */
export async function callOn(
  stage: Stage,
  pull: PullRequest,
  scene: Partial<Scene> & { text?: string } = {},
): Promise<ActionRun> {
  const { text = '@claude correct the spelling', ...rest } = scene;
  const comment = stage.github.comment(pull, { author: 'octocat', body: text });
  return stage.run({ event: await stage.github.event.issueComment(comment), ...rest });
}

/** Makes the merge commit that GitHub keeps at `refs/pull/N/merge`, and names it for the checkout. */
export async function mergeRef({ repository }: Stage, pull: PullRequest): Promise<{ ref: string }> {
  const git = async (...args: string[]) => {
    const identity = ['-c', 'user.name=GitHub', '-c', 'user.email=noreply@github.com'];
    const { stdout } = await promisify(execFile)('git', [...identity, ...args], {
      cwd: repository.directory,
    });
    return stdout.trim();
  };
  const { base, head } = pull;
  const tree = await git('merge-tree', '--write-tree', base.sha, `refs/pull/${pull.number}/head`);
  const sha = await git('commit-tree', tree, '-p', base.sha, '-p', head.sha, '-m', 'Merge');
  const ref = `refs/pull/${pull.number}/merge`;
  await git('update-ref', ref, sha);
  return { ref };
}

/** Claude looks where it is, corrects the file, commits and publishes. */
export function correction(stage: Stage): (Step | (() => Step))[] {
  return [
    {
      tools: [
        bash('git status -sb; git diff --stat origin/main...HEAD; git log --format=%s origin/main..HEAD'),
      ],
    },
    () => ({ tools: [write(stage.path('NOTES.md'), 'Spelt right.\n')] }),
    { tools: [bash('git add -A && git commit -q -m "Correct the spelling"')] },
    { tools: [mcp('github_file_ops', 'push_changes')] },
    { text: 'Corrected.' },
  ];
}

/** Claude may look around with git besides. */
export const lookAround = { claude_args: '--allowedTools Bash' };
