/** Finishes what main could not: ends Claude, saves its work, says how it ended, gives everything back. */
import { giveBack as giveFilesBack } from '../../claude/fence-owner.ts';
import { revokeToken } from '../../github/auth.ts';
import { createClient, type GitHubClient, type GitHubHost } from '../../github/client.ts';
import { fetchComment, findComment, updateComment } from '../../github/comments.ts';
import type { OidcSource } from '../../github/oidc.ts';
import { fetchViewer } from '../../github/permissions.ts';
import { swapReaction } from '../../github/reactions.ts';
import { defaultPolicy } from '../../github/retry.ts';
import { removeContainers } from '../../mcp/github-container.ts';
import { continueBelow, renderRedacted } from '../../report/comment.ts';
import { readMarker, runKey } from '../../report/marker.ts';
import { renderSummary } from '../../report/step-summary.ts';
import { AppError } from '../../words/errors.ts';
import type { Log } from '../../words/log.ts';
import type { Redact } from '../../words/redact.ts';
import type { Result } from '../../words/result.ts';
import { openGate } from '../../workspace/gate/gate.ts';
import { restoreCheckout } from '../../workspace/saved-checkout.ts';
import { endSurvivors, interrupted, removeScratch } from '../aftermath.ts';
import type { Memory } from '../door.ts';
import { branchUrl } from '../links.ts';
import { createPublisher } from '../publish.ts';
import { becameOf } from '../results.ts';
import { postReview, withReview } from '../review/review-post.ts';
import { signingInPost } from '../signing.ts';
import {
  checkedPublishing,
  checkedReview,
  checkedSent,
  checkSaved,
  checkTargets,
  type JobFacts,
} from './rescue-checks.ts';

export interface Rescue extends JobFacts {
  host: GitHubHost;
  job: Record<string, string | undefined>;
  redact: Redact;
  secrets(): Iterable<string>;
  oidc: OidcSource | null;
  /** Of the job's own event: what a `repository_dispatch` brought. */
  clientPayload: Record<string, unknown> | undefined;
  log: Log;
  summary(markdown: string): void;
  /** What main remembered. Claude's processes could write there, so nothing of it is believed unchecked. */
  memory: { [Name in keyof Memory]: Memory[Name] | undefined };
}

/** A cancelled job gives `post` five minutes in all: no step may use them up. */
const hurried = { ...defaultPolicy, attempts: 3, longestWaitMs: 10_000, timeoutMs: 10_000 };
const pushTimeoutMs = 60_000;
const backendPatienceMs = 60_000;

/** Every step survives the failure of the others; each failure is a warning. */
export async function rescue(post: Rescue): Promise<void> {
  const { memory, log } = post;
  const attempt = async (what: string, step: () => Promise<void>) => {
    await step().catch((error: Error) => log.warning(`${what}: ${error.message}`));
  };
  await attempt('A surviving process could not be ended', () => endSurvivors(memory.run));
  await attempt('A container could not be removed', async () => {
    const { container, run, ended } = memory;
    if (container && run && !ended) await removeContainers({ mark: run.mark, job: post.job });
  });
  let result = memory.result ?? interrupted(memory.cancelled ?? false);
  if (memory.run && !memory.ended && !memory.result) {
    await attempt('The work could not be saved', async () => {
      result = { ...result, ...(await saveWork(post)) };
    });
    await attempt('The review could not be posted', async () => {
      result = await finishReview(post, result);
    });
    await attempt('The tracking comment could not be finished', () => finishComment(post, result));
    await attempt('The reaction could not be changed', () => finishReaction(post));
    tell(post, result);
    await attempt('The checkout could not be given back', () => giveBack(post));
  } else {
    await attempt('What GitHub did not take from main could not be finished', () => finishLate(post));
  }
  if (!memory.ended) await attempt('The backend could not be told', () => tellBackend(post, result));
  // Main had come to its result, and was killed while it told the backend.
  if (!memory.ended && memory.result) tell(post, memory.result);
  await attempt('The scratch directory could not be removed', () => removeScratch(post, memory.run));
  for (const token of memory.tokens ?? []) {
    await attempt('A token could not be revoked', () => revokeToken(post.host, token, hurried));
  }
}

async function saveWork(post: Rescue): Promise<Partial<Result>> {
  const { memory, log, host } = post;
  if (!memory.publishing || !memory.run) return {};
  const job = { ...post, serverUrl: host.serverUrl };
  const publishing = await checkedPublishing(job, memory.publishing, memory.run.scratch);
  // Without a fence, whatever Claude had: all is read as plain files, which needs nothing that may be gone by now.
  const github = client(post);
  const signing = await signingInPost(post, github);
  const gate = openGate(publishing.gate, { environment: post.job, secrets: post.secrets, signing });
  const publisher = createPublisher({
    publishing,
    gate,
    token: async () => {
      // Here, so that the work becomes a patch when GitHub cannot confirm the target.
      await checkTargets(post, publishing.gate.targets, github);
      return tokenOf(post);
    },
    stop: () => endSurvivors(memory.run),
    pushTimeoutMs,
    log,
  });
  const { branch, error, notes } = await publisher.finish();
  // Main may have published all of it.
  const known = branch ?? memory.comment?.state?.branch ?? null;
  return { branch, notes: [...becameOf(known, error), ...notes] };
}

async function finishComment(post: Rescue, result: Result): Promise<void> {
  const { memory } = post;
  if (!memory.comment) return;
  const { ref, place, state } = memory.comment;
  const github = client(post);
  const viewer = await fetchViewer(github);
  const found = ref
    ? await fetchComment(github, place, ref)
    : viewer && (await findComment(github, place, { marker: runKey(state.marker), login: viewer.login }));
  if (!found) return;
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
    sha: result.branch.sha,
  };
  const ended = { ...state, branch: branch ?? state.branch, result };
  const { body, continued } = renderRedacted(ended, post.redact);
  await updateComment(github, place, found, body);
  await continueBelow({ client: github, place }, state.marker, continued);
}

/** Main came to its end, but GitHub did not take its last words. */
async function finishLate(post: Rescue): Promise<void> {
  const { comment, result: known } = post.memory;
  const before = comment?.state.result ?? known ?? interrupted(false);
  const result = await finishReview(post, before).catch((error: Error) => {
    post.log.warning(`The review could not be posted: ${error.message}`);
    return before;
  });
  if (comment && (!comment.ended || result !== before)) await finishComment(post, result);
}

async function finishReview(post: Rescue, result: Result): Promise<Result> {
  const { review: told } = post.memory;
  if (!told || (told.posted && told.answers.every(({ done }) => done))) return result;
  const review = checkedReview(post, told);
  const github = client(post);
  const [owner, name] = post.repository.split('/') as [string, string];
  const posted = await postReview({
    ...{ client: github, repository: { owner, name }, review, run: post.run, redact: post.redact },
    ownLogin: (await fetchViewer(github))?.login ?? '',
    fixLinks: post.config.includeFixLinks,
    ...{ succeeded: result.conclusion === 'success', again: true },
    save: () => {},
  });
  return withReview(result, posted);
}

async function finishReaction(post: Rescue): Promise<void> {
  const { reaction, comment } = post.memory;
  for (const former of reaction?.shown ?? [])
    await swapReaction(client(post), reaction!.nodeId, { former, next: 'CONFUSED' });
  for (const { id } of comment?.state.taken ?? [])
    await swapReaction(client(post), id, { former: 'ROCKET', next: 'CONFUSED' });
}

/** Main's unacknowledged event goes first, then the end. */
async function tellBackend(post: Rescue, result: Result): Promise<void> {
  const { memory, clientPayload } = post;
  if (memory.progress?.ended) return;
  const { openBackend } = await import('../backend.ts');
  const backend = await openBackend(clientPayload, {
    ...post,
    save: () => {},
    patienceMs: backendPatienceMs,
    ...(memory.progress && { earlier: checkedSent(post, memory.progress) }),
  });
  await backend?.finished(result);
  if (backend) post.summary(backend.delivery());
}

/** Where people look besides the comment: annotation and step summary. */
function tell(post: Rescue, result: Result): void {
  if (result.conclusion !== 'success') post.log.error(`${result.summary}\n${result.remedy}`);
  const decision = 'The run was finished by the post step.';
  post.summary(renderSummary({ decision, facts: [], result, delivery: '', warnings: [], report: '' }));
}

async function giveBack(post: Rescue): Promise<void> {
  const { checkout, run } = post.memory;
  if (!checkout || !run) return;
  await checkSaved(post, checkout, run.scratch);
  for (const problem of await restoreCheckout(checkout)) post.log.warning(problem);
  // With a fence and as root the files are its user's; git of later steps would refuse to work there.
  if (post.memory.owners && process.getuid?.() === 0)
    await giveFilesBack(checkout.directory, post.memory.owners);
}

function client(post: Rescue): GitHubClient {
  return createClient(post.host, async () => tokenOf(post), hurried);
}

function tokenOf({ config, memory }: Rescue): string {
  const token = config.githubToken?.reveal() ?? memory.tokens?.at(-1);
  if (!token) throw new AppError('github_auth', 'there is no GitHub token any more');
  return token;
}
