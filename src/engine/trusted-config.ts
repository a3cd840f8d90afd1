/** Which configuration Claude Code loads where the checkout is not trusted: the base branch's, or none at all. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../words/errors.ts';
import { Secret } from '../words/secret.ts';
import { shown } from '../words/shown.ts';
import type { Task } from '../words/task.ts';
import { copyTrustedConfiguration, type TrustedConfiguration } from '../workspace/trusted-config.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { Prepared } from './checkout.ts';
import type { Connection } from './connect.ts';
import type { Door } from './door.ts';

export interface BaseConfiguration extends TrustedConfiguration {
  /** The branch that it comes from. */
  from: string;
}

export interface BaseRequest {
  door: Door;
  task: Task;
  connection: Connection;
  /** Null when there is no checkout: then nothing can be looked up. */
  workspace: Workspace | null;
  /** Null for tasks without a branch of their own. */
  checkout: Prepared | null;
  /** Where it is copied to. */
  directory: string;
}

interface Base {
  ref: string;
  sha: string;
}

/** Characters that mean something in the pattern by which the checkout's own memory files are kept out. */
const glob = /[*?[\]{}()\\]/;

/** Null where nothing may be loaded, because the base branch cannot be read; that is a warning, and Claude is told. */
export async function baseConfiguration(request: BaseRequest): Promise<BaseConfiguration | null> {
  const { door, task, connection, workspace, checkout, directory } = request;
  if (!workspace) return null;
  try {
    if (glob.test(await realpath(workspace.directory)))
      throw new AppError(
        'invalid_input',
        `the checkout's path ${shown(workspace.directory)} has a character of globs`,
      );
    const base = checkout?.plan.base ?? (await baseOf(request));
    const found = await copyTrustedConfiguration({
      gitDirectory: join(workspace.directory, '.git'),
      directory,
      store: join(door.scratch, 'base-objects'),
      base: base.sha,
      head: checkout?.publishing.gate.base ?? workspace.headSha,
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

/**
 * The pull request's base; for a `workflow_run`, which may be about a branch of anybody's, the default branch. GitHub is
 * asked, so that no trust hangs on a variable of the job.
 */
async function baseOf({ task, connection }: BaseRequest): Promise<Base> {
  const { subject, repository } = task;
  const { client } = connection;
  const place = { owner: repository.owner, repo: repository.name };
  if (subject?.base) return subject.base;
  if (subject) {
    const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}';
    const { base } = await client.rest<{ base: Base }>(route, { ...place, pull_number: subject.number });
    return { ref: base.ref, sha: base.sha };
  }
  const ref =
    repository.defaultBranch ??
    (await client.rest<{ default_branch: string }>('GET /repos/{owner}/{repo}', place)).default_branch;
  const route = 'GET /repos/{owner}/{repo}/git/ref/{ref}';
  const { object } = await client.rest<{ object: { sha: string } }>(route, { ...place, ref: `heads/${ref}` });
  return { ref, sha: object.sha };
}
