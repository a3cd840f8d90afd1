/** Finishes what main could not: ends Claude, saves its work, says how it ended, gives everything back. */
import { realpath, rm } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { endProcesses } from '../claude/process.ts';
import { revokeToken } from '../github/auth.ts';
import { createClient, type GitHubClient, type GitHubHost } from '../github/client.ts';
import { fetchComment, updateComment } from '../github/comments.ts';
import { fetchViewer } from '../github/permissions.ts';
import { swapReaction } from '../github/reactions.ts';
import { readMarker, renderComment } from '../report/render.ts';
import { renderSummary } from '../report/step-summary.ts';
import type { Config } from '../words/config.ts';
import { AppError } from '../words/errors.ts';
import type { Log } from '../words/log.ts';
import type { Redact } from '../words/redact.ts';
import type { Result } from '../words/result.ts';
import { validateBranchName } from '../workspace/branch.ts';
import { openGate } from '../workspace/gate.ts';
import { restoreCheckout } from '../workspace/saved-checkout.ts';
import type { Memory } from './door.ts';
import { branchUrl } from './links.ts';
import { createPublisher } from './publish.ts';
import { failed } from './results.ts';

export interface Rescue {
  config: Config;
  host: GitHubHost;
  job: Record<string, string | undefined>;
  /** `owner/repo`, as the runner says it. */
  repository: string;
  run: { id: string; attempt: string };
  temp: string;
  /** The checkout, as the runner says it. */
  directory: string;
  redact: Redact;
  secrets(): Iterable<string>;
  log: Log;
  summary(markdown: string): void;
  /** What main remembered. Claude's processes could write there, so nothing of it is believed unchecked. */
  memory: { [Name in keyof Memory]: Memory[Name] | undefined };
}

/** Every step survives the failure of the others; each failure is a warning. */
export async function rescue(post: Rescue): Promise<void> {
  const { memory, log } = post;
  const attempt = async (what: string, step: () => Promise<void>) => {
    await step().catch((error: Error) => log.warning(`${what}: ${error.message}`));
  };
  await attempt('A surviving process could not be ended', async () => {
    if (memory.run) await endProcesses(memory.run.mark, null);
  });
  if (!memory.ended && memory.run) {
    let result = interrupted(memory.cancelled ?? false);
    await attempt('The work could not be saved', async () => {
      result = { ...result, ...(await saveWork(post)) };
    });
    await attempt('The tracking comment could not be finished', () => finishComment(post, result));
    await attempt('The reaction could not be changed', () => finishReaction(post));
    post.summary(
      renderSummary({
        decision: 'The run was finished by the post step.',
        facts: [],
        result,
        warnings: [],
        report: '',
      }),
    );
    await attempt('The checkout could not be given back', () => giveBack(post));
  }
  await attempt('The scratch directory could not be removed', () => removeScratch(post));
  for (const token of memory.tokens ?? []) {
    await attempt('A token could not be revoked', () => revokeToken(post.host, token));
  }
}

function interrupted(cancelled: boolean): Result {
  return failed(
    cancelled
      ? new AppError('cancelled', 'The job was cancelled.')
      : new AppError(
          'internal',
          'The run ended before the task did: its process was killed or ran out of memory.',
          {
            remedy: 'Run the workflow again; look at the job log for what ended it.',
          },
        ),
  );
}

async function saveWork(post: Rescue): Promise<Partial<Result>> {
  const { memory, log } = post;
  if (!memory.publishing || !memory.run) return {};
  const publishing = { ...memory.publishing, serverUrl: post.host.serverUrl };
  await checkTargets(post, publishing.gate.targets);
  // The limits of the job's own inputs, whatever the remembered ones say.
  const state = { ...publishing.gate, limits: post.config };
  const gate = openGate(state, { environment: post.job, secrets: post.secrets });
  const publisher = createPublisher({
    publishing: { ...publishing, gate: state },
    gate,
    token: async () => tokenOf(post),
    stop: async () => {
      await endProcesses(memory.run!.mark, null);
    },
    log,
  });
  const { branch, error, notes } = await publisher.finish();
  if (error) notes.unshift(`The work could not be published: ${(error as Error).message}`);
  return { branch, notes };
}

/** Only this repository's branches (or a fork's, by the pull request's own name), and never its default branch. */
async function checkTargets(post: Rescue, targets: { repository: string; branch: string }[]): Promise<void> {
  const [owner, repo] = post.repository.split('/');
  const { default_branch } = await client(post).rest<{ default_branch: string }>(
    'GET /repos/{owner}/{repo}',
    { owner, repo },
  );
  for (const { repository, branch } of targets) {
    validateBranchName(branch);
    const name = repository.split('/')[1];
    if (repository === post.repository && branch === default_branch) {
      throw new AppError('gate_refused', `\`${branch}\` is the default branch.`);
    }
    if (repository !== post.repository && name === undefined) {
      throw new AppError('gate_refused', `\`${repository}\` is not a repository.`);
    }
  }
}

async function finishComment(post: Rescue, result: Result): Promise<void> {
  const { memory } = post;
  if (!memory.comment) return;
  const { ref, place, state } = memory.comment;
  const github = client(post);
  const [found, viewer] = await Promise.all([fetchComment(github, place, ref), fetchViewer(github)]);
  const marker = readMarker(found.body);
  const ours =
    `${place.owner}/${place.repo}` === post.repository &&
    marker?.run === post.run.id &&
    marker.attempt === post.run.attempt;
  if (!ours || !viewer || found.author.login !== viewer.login) {
    throw new AppError('own_activity', "the remembered comment is not this run's own");
  }
  const branch = result.branch && {
    name: result.branch.name,
    url: branchUrl(post.host.serverUrl, result.branch.repository, result.branch.name),
  };
  const { body } = renderComment({ ...state, branch: branch ?? state.branch, result }, Date.now());
  await updateComment(github, place, ref, post.redact(body));
}

async function finishReaction(post: Rescue): Promise<void> {
  const { reaction } = post.memory;
  if (reaction)
    await swapReaction(client(post), reaction.nodeId, { former: reaction.shown, next: 'CONFUSED' });
}

async function giveBack(post: Rescue): Promise<void> {
  const { checkout } = post.memory;
  if (!checkout || checkout.directory !== (await realpath(post.directory))) return;
  for (const problem of await restoreCheckout(checkout)) post.log.warning(problem);
}

/** Only a directory of the form that main makes: a forged memory must not make post delete something else. */
async function removeScratch({ memory, temp }: Rescue): Promise<void> {
  const scratch = memory.run?.scratch;
  if (
    !scratch ||
    resolve(dirname(scratch)) !== resolve(temp) ||
    !/^forgehand-[0-9a-f-]{36}$/.test(basename(scratch))
  )
    return;
  await rm(scratch, { recursive: true, force: true });
}

function client(post: Rescue): GitHubClient {
  return createClient(post.host, async () => tokenOf(post));
}

function tokenOf({ config, memory }: Rescue): string {
  const token = config.githubToken?.reveal() ?? memory.tokens?.at(-1);
  if (!token) throw new AppError('github_auth', 'there is no GitHub token any more');
  return token;
}
