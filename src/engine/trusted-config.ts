/** Whose configuration Claude Code loads: the checkout's own where that is trusted, else the base branch's, or none at all. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitHubClient } from '../github/client.ts';
import { AppError } from '../words/errors.ts';
import type { Repository } from '../words/event.ts';
import { Secret } from '../words/secret.ts';
import { shown } from '../words/shown.ts';
import { dispatchOf, type Task } from '../words/task.ts';
import { mayBeOurs } from '../workspace/branch.ts';
import { copyTrustedConfiguration, type TrustedConfiguration } from '../workspace/trusted/trusted-config.ts';
import type { Connection } from './connect.ts';
import { canGoOn } from './conversation/open.ts';
import type { Door } from './door.ts';
import { configurationPath, openPlace } from './scratch.ts';

export interface BaseConfiguration extends TrustedConfiguration {
  /** The branch that it comes from. */
  from: string;
}

/** What Claude Code loads: what the checkout itself says, what a base branch says, or nothing (null). */
export type Configuration = 'checkout' | BaseConfiguration | null;

export interface BaseRequest {
  door: Door;
  task: Task;
  connection: Connection;
  /** Where the objects are; Claude has not had them. */
  gitDirectory: string;
  /** Where it is known already. */
  base?: Base;
}

interface Base {
  ref: string;
  sha: string;
}

/** Characters that mean something in the pattern by which the checkout's own memory files are kept out. */
const glob = /[*?[\]{}()\\]/;

/** Events with the base's rights about a commit of anybody's, or about work that nobody has merged yet. */
const aboutOthersWork = new Set(
  'workflow_run check_run check_suite status deployment deployment_status merge_group'.split(' '),
);

/**
 * False where the checkout may hold what a stranger proposes, or what Claude wrote on an earlier occasion.
 * @param headSha what is checked out; null for no checkout
 */
export function trustsCheckout(task: Task, door: Door, headSha: string | null): boolean {
  const { GITHUB_EVENT_NAME: event, GITHUB_SHA: sha, GITHUB_REF: ref = '' } = door.job;
  if (task.subject?.kind === 'pull_request' || dispatchOf(task)?.branch) return false;
  // The branch of an earlier run may be what is worked on.
  if (door.config.resume && canGoOn(task)) return false;
  if (event && aboutOthersWork.has(event)) return false;
  // Only who may write pushes, but on such a branch it may be what Claude wrote after reading anybody's words.
  const { branchPrefix: prefix, branchNameTemplate: template } = door.config;
  if (event === 'push' && mayBeOurs(ref.replace(/^refs\/heads\//, ''), { prefix, template })) return false;
  // The workflow has checked out something else than the commit that the event is about: a pull request's code, maybe.
  return !headSha || !sha || headSha === sha;
}

/** Null where nothing may be loaded, because the base branch cannot be read; that is a warning, and Claude is told. */
export async function baseConfiguration(request: BaseRequest): Promise<BaseConfiguration | null> {
  const { door, task, connection, gitDirectory } = request;
  try {
    if (glob.test(await realpath(door.directory)))
      throw new AppError(
        'invalid_input',
        `the checkout's path ${shown(door.directory)} has a character of globs`,
      );
    const base = request.base ?? (await baseOf(request));
    const found = await copyTrustedConfiguration({
      gitDirectory,
      directory: await openPlace(configurationPath(door.scratch)),
      store: join(door.scratch, 'base-objects'),
      base: base.sha,
      remote: async () => ({
        url: `${door.host.serverUrl}/${task.repository.owner}/${task.repository.name}.git`,
        token: new Secret(await connection.credential.token()),
      }),
      environment: door.job,
      signal: door.signal,
    });
    return { ...found, from: base.ref };
  } catch (error) {
    door.signal.throwIfAborted();
    door.warn(`No settings, skills or memory files are loaded: ${(error as Error).message}`);
    return null;
  }
}

/** What Claude is told of it; null where it is the checkout's own. @param head the commit that Claude works on */
export async function configurationFacts(
  base: Configuration,
  head: string,
): Promise<{ from: string | null; differing: string[] } | null> {
  if (base === 'checkout') return null;
  return base ? { from: base.from, differing: await base.differing(head) } : { from: null, differing: [] };
}

/**
 * The task with its pull request's base, which a comment's event does not name. Asked beside the question for access,
 * as Claude Code cannot start before; what goes wrong is told when the base is needed.
 */
export async function withBase(task: Task, client: GitHubClient): Promise<Task> {
  const { subject, repository } = task;
  if (subject?.kind !== 'pull_request' || subject.base) return task;
  const base = await pullBase(repository, subject.number, client).catch(() => undefined);
  return { ...task, subject: { ...subject, base } };
}

async function pullBase({ owner, name }: Repository, number: number, client: GitHubClient): Promise<Base> {
  const place = { owner, repo: name, pull_number: number };
  const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}';
  const { base } = await client.rest<{ base: Base }>(route, place);
  return { ref: base.ref, sha: base.sha };
}

/**
 * The base of the pull request or merge queue; without one the branch that work goes into, as a `workflow_run` may be
 * about a branch of anybody's. The tip counts, as the commit that a merge group stands on may be the group before it,
 * which nobody has merged either. GitHub is asked, so that no trust hangs on a variable of the job.
 */
async function baseOf({ door, task, connection }: BaseRequest): Promise<Base> {
  const { subject, repository } = task;
  const { client } = connection;
  const place = { owner: repository.owner, repo: repository.name };
  if (subject?.base) return subject.base;
  if (subject?.kind === 'pull_request') return pullBase(repository, subject.number, client);
  const ref =
    task.mergesInto ??
    door.config.baseBranch ??
    repository.defaultBranch ??
    (await client.rest<{ default_branch: string }>('GET /repos/{owner}/{repo}', place)).default_branch;
  const route = 'GET /repos/{owner}/{repo}/git/ref/{ref}';
  const { object } = await client.rest<{ object: { sha: string } }>(route, { ...place, ref: `heads/${ref}` });
  return { ref, sha: object.sha };
}
