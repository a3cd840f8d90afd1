/** Answers what Claude asks about checks: by this repository's numbers, between markers, secrets taken out. */
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRefused, readChecks, readHead, readRun } from '../../github/checks.ts';
import { downloadJobLog, type JobLog } from '../../github/job-log.ts';
import type { CiAnswers } from '../../mcp/ci.ts';
import { logAnswer, runAnswer, statusAnswer } from '../../prompt/ci.ts';
import { cleanLog } from '../../prompt/job-log.ts';
import type { Markers } from '../../prompt/markers.ts';
import type { Shelf } from '../../prompt/shelf.ts';
import type { CiPermission } from '../../words/ci.ts';
import { AppError } from '../../words/errors.ts';
import type { Task } from '../../words/task.ts';
import type { Connection } from '../connect.ts';
import type { Door } from '../door.ts';
import { newMarkers } from '../markers.ts';
import { logsPath, openPlace } from '../scratch.ts';

export interface CiRequest {
  door: Pick<Door, 'host' | 'redact' | 'run' | 'scratch' | 'signal'>;
  task: Pick<Task, 'repository' | 'subject' | 'checked'>;
  connection: Pick<Connection, 'client' | 'credential'>;
  /** What the prompt was made of; its markers are the ones that Claude knows. Null where it has none. */
  shelf(): Pick<Shelf, 'markers'> | null;
}

/** A log as it was fetched and cleaned. */
interface Fetched extends JobLog {
  job: number;
  path: string;
}

/** True when it is known which commit is meant. */
export function hasChecks({ subject, checked }: CiRequest['task']): boolean {
  return subject?.kind === 'pull_request' || checked !== undefined;
}

export function ciAnswers(request: CiRequest): CiAnswers {
  const { door, task, connection } = request;
  const source = { client: connection.client, repository: task.repository };
  const own = newMarkers();
  const markers = (): Markers => request.shelf()?.markers ?? own;
  const remedy = (permissions: CiPermission[]) => remedyFor(permissions, connection.credential.kind);
  // A log is looked into more than once, and never changes.
  let latest: Fetched | null = null;
  return {
    status: async (status) => {
      const { sha, what } = await headOf(request);
      const checks = await readChecks(source, sha, door.run.id);
      return statusAnswer({ checks, status, what, event: task.checked ?? null, remedy }, markers());
    },
    run: async (id) => {
      const run = await readRun(source, id).catch((error) => {
        if (!isRefused(error)) throw error;
        throw gone(`Workflow run ${id} is not in this repository, or not for this credential`, remedy);
      });
      return runAnswer(run, markers());
    },
    log: async (job, question) => {
      if (latest?.job !== job) latest = await fetchLog(request, job, remedy);
      const { text: log, path, omitted, unread } = latest;
      return logAnswer({ job, log, path, omitted, unread, question }, markers());
    },
  };
}

/** A pull request's as it is now: what was pushed in this run has checks of its own. */
async function headOf({ task, connection }: CiRequest): Promise<{ sha: string; what: string }> {
  const { subject, checked, repository } = task;
  if (subject?.kind === 'pull_request') {
    const sha = await readHead({ client: connection.client, repository }, subject.number);
    return { sha, what: `the head of pull request #${subject.number}` };
  }
  if (!checked) throw new AppError('internal', 'No commit is known whose checks could be shown.');
  const pulls = checked.pullRequests.map((number) => `#${number}`).join(' and ');
  return { sha: checked.sha, what: `the commit of the event${pulls && `, the head of ${pulls}`}` };
}

async function fetchLog(
  { door, task, connection }: CiRequest,
  job: number,
  remedy: (permissions: CiPermission[]) => string,
): Promise<Fetched> {
  const source = { apiUrl: door.host.apiUrl, token: connection.credential.token };
  const log = await downloadJobLog({ ...source, repository: task.repository, signal: door.signal }, job);
  if (!log)
    throw gone(
      `There is no log of job ${job}: it is not in this repository, has not ended, is too old, or is not for this credential`,
      remedy,
    );
  const text = cleanLog(log.text, door.redact);
  const path = join(await openPlace(logsPath(door.scratch)), `job-${job}.log`);
  // Made anew: where there is no fence, a link could have been put in its place.
  await rm(path, { force: true });
  await writeFile(path, `${text}\n`, { flag: 'wx' });
  await chmod(path, 0o644);
  return { ...log, job, path, text };
}

function gone(message: string, remedy: (permissions: CiPermission[]) => string): AppError {
  return new AppError('invalid_input', `${message}.`, {
    remedy: `Check the number. If it is right: ${remedy(['actions'])}`,
  });
}

/** Claude can only pass it on; it is for the person who set the workflow up. */
function remedyFor(permissions: CiPermission[], kind: Connection['credential']['kind']): string {
  const lines = permissions.map((permission) => `\`${permission}: read\``).join(', ');
  return kind === 'given'
    ? `The workflow has to add ${lines} to the job's \`permissions:\` (or to the token that \`github_token\` gives).`
    : `The workflow has to add ${lines} to \`additional_permissions\`, and the GitHub App has to have it.`;
}
