/** Publishes one commit from the gate to one branch of one repository: by a push of its own, or by GitHub's API. */
import { AppError } from '../../words/errors.ts';
import { shown } from '../../words/shown.ts';
import type { Remote } from '../remote.ts';
import { remoteTip } from '../remote-tip.ts';
import { publishThroughApi } from '../signing/api-commits.ts';
import { signCommits } from '../signing/signed-commits.ts';
import { newCommits } from './changes.ts';
import {
  type GateContext,
  isAncestor,
  isSameTarget,
  publishedTip,
  setPublished,
  type Target,
  trustedCommits,
} from './gate-state.ts';
import { pushAnswer, pushAnswers } from './push-answer.ts';

export interface PushRequest {
  target: Target;
  /** The target repository's URL, spelled out: no remote's name is ever used. */
  remote: Remote;
  sha: string;
  /** What the target holds already, when it is not what the gate was made for; only for the count. */
  trusted?: string[];
  retryDelaysMs?: number[];
  /** Milliseconds that one attempt may take. */
  timeoutMs?: number;
}

export type Pushed =
  /** `sha`: what the branch is at; signed commits have other ids than those that were taken. */
  | { outcome: 'pushed'; sha: string; commits: number; unverified?: string[]; joined?: number }
  /** The branch has commits that this work does not build on: nothing was changed; another name may do. */
  | { outcome: 'moved'; conflicts?: string[] };

/**
 * Never forces.
 * @throws AppError `gate_refused` for a branch that is not the task's; `github_auth`; `github_unavailable`;
 * `git_failed` when the server has a rule against it (its words are in the message).
 */
export async function pushCommit(context: GateContext, request: PushRequest): Promise<Pushed> {
  const { target, remote, sha } = request;
  allowTarget(context, target, remote);
  const { signing } = context;
  if (signing?.by === 'github') {
    const made = await publishThroughApi(context, { client: signing.client, remote, target, sha });
    if (made.outcome === 'pushed') await setPublished(context, sha);
    return made;
  }
  const { length: commits } = await newCommits(context, sha, await trustedCommits(context, request.trusted));
  const published = signing?.by === 'ssh' ? await signCommits(context, sha, signing) : sha;
  const outcome = await (target.isNew ? pushNew : push)(context, { ...request, sha: published });
  if (outcome === 'pushed') await setPublished(context, sha);
  return outcome === 'pushed' ? { outcome, sha: published, commits } : { outcome };
}

/**
 * To a branch that this run makes. One that is there already is somebody else's, also when it could be fast-forwarded;
 * but it is ours when an earlier push of this run made it, whose answer was lost or whose process was killed.
 */
async function pushNew(context: GateContext, request: PushRequest): Promise<'pushed' | 'moved'> {
  const { run } = context;
  const { target, remote, sha } = request;
  const find = () => remoteTip(run, { remote, branch: target.branch });
  let tip = (await publishedTip(context)) ? await find() : null;
  await run(['update-ref', `${sentRefs}/${sha}`, sha]);
  for (let look = 0; look < looks; look++) {
    if (tip && !((await wasSent(context, tip)) && (await isAncestor(context, tip, sha)))) break;
    if ((await push(context, request, tip ?? absentTip)) === 'pushed') return 'pushed';
    tip = await find();
  }
  return 'moved';
}

/** Once more, when the branch turns out to be there. */
const looks = 2;
/** Tells the server that there must be no such branch yet. */
const absentTip = '';
/** What this run has tried to push to a new branch, whatever became of it. */
const sentRefs = 'refs/sent';

async function wasSent({ run }: GateContext, tip: string): Promise<boolean> {
  const args = ['rev-parse', '--verify', '-q', `${sentRefs}/${tip}`];
  return (await run(args, { allowedCodes: [0, 1] })).code === 0;
}

/** @param expected where the branch must be, '' for nowhere; any older commit of its own unless told. */
async function push(
  { run }: GateContext,
  { target, remote, sha, retryDelaysMs, timeoutMs }: PushRequest,
  expected?: string,
): Promise<'pushed' | 'moved'> {
  const ref = `refs/heads/${target.branch}`;
  const options = ['--porcelain', '--no-verify', '--no-recurse-submodules', '--no-signed'];
  const lease = expected === undefined ? [] : [`--force-with-lease=${ref}:${expected}`];
  const args = ['push', ...options, ...lease, remote.url, `${sha}:${ref}`];
  const pushing = { remote, ...pushAnswers, retryDelaysMs, timeoutMs };
  return pushAnswer(await run(args, pushing), { target, remote });
}

/** The target is the host's own choice, made before Claude had the workspace; this holds it to that. */
function allowTarget({ state }: GateContext, target: Target, remote: Remote): void {
  const same = (other: Target) => isSameTarget(other, target);
  const path = decodeURIComponent(new URL(remote.url).pathname)
    .toLowerCase()
    .replace(/\.git$/, '');
  const right = path.endsWith(`/${target.repository.toLowerCase()}`);
  if (right && state.targets.some(same) && !state.neverTo.some(same)) return;
  const why = state.neverTo.some(same) ? 'is the base or default branch' : 'is not the branch of this task';
  throw new AppError(
    'gate_refused',
    `${shown(target.branch)} of ${target.repository} ${right ? why : 'is not where this URL leads'}.`,
    {
      remedy: `Work on ${shown(state.branch)}; only ${state.targets.map(({ branch }) => shown(branch)).join(', ')} may be published.`,
    },
  );
}
