/** Looks after threads that are closed: ends an empty draft, and removes the workspace when its time has come. */
import { rm } from 'node:fs/promises';
import type { BranchPlan } from '../../engine/branch-plan.ts';
import { closeEmpty } from '../../engine/pull-request/issue-pull-request.ts';
import { Secret } from '../../words/secret.ts';
import { removeWorkspace, workspaceDirectory } from '../../workspace/places.ts';
import type { ServerContext } from '../context.ts';
import { placeName } from '../data-directory.ts';
import { repositoryConnection } from '../github.ts';
import { threadDirectory } from '../session/door.ts';
import {
  forgetWorkspace,
  markTended,
  type Tended,
  threadsToTend,
  workspacesToRemove,
} from '../store/tending.ts';

/** Only the workspaces that lie here can be removed here. */
export async function tend(context: ServerContext): Promise<void> {
  const { store, log, configuration } = context;
  const { server } = configuration;
  for (const thread of await threadsToTend(store.database)) {
    try {
      await endDraft(context, thread);
      await markTended(store.database, thread.key);
    } catch (error) {
      log.warning(`${thread.key} could not be tidied up yet: ${(error as Error).message}`, {
        task: thread.key,
      });
    }
  }
  const due = await workspacesToRemove(store.database, {
    place: placeName(server.dataDir),
    hours: server.workspaceGraceHours,
  });
  for (const key of due) {
    await removeWorkspace(workspaceDirectory(server.workspacesRoot, key));
    await rm(threadDirectory(server.dataDir, key), { recursive: true, force: true, maxRetries: 3 });
    await forgetWorkspace(store.database, key);
    log.info('The workspace was removed.', { task: key });
  }
}

/** A draft that holds nothing but our opening commit is closed with its issue; one with work stays. */
async function endDraft(context: ServerContext, thread: Tended): Promise<void> {
  const { configuration, log, addSecret } = context;
  const { branch, task } = thread;
  const opening = thread.progress.opening as string | undefined;
  const plan = thread.progress.plan as BranchPlan | undefined;
  if (thread.kind !== 'issue' || !branch || !opening || !task || !plan) return;
  const { client, credential } = await repositoryConnection(configuration, {
    repository: thread.repository,
    installationId: thread.installationId === null ? null : Number(thread.installationId),
    log,
    addSecret,
  });
  const outcome = await closeEmpty(client, {
    task,
    number: thread.pullNumber,
    branch,
    opening,
    remote: {
      url: `${configuration.host.serverUrl}/${thread.repository}.git`,
      token: new Secret(await credential.token()),
    },
    environment: configuration.environment,
  });
  if (outcome === 'closed') log.info('The empty draft and its branch are gone.', { task: thread.key });
}
