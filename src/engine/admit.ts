/** Admission: are the settings usable, does GitHub know us, and may this person put Claude to work? */
import { mkdirSync } from 'node:fs';
import { WorkflowNotValidated } from '../github/auth.ts';
import type { Config } from '../words/config.ts';
import type { GitHubEvent } from '../words/event.ts';
import { type Decision, dispatchOf, type Fact, type Task } from '../words/task.ts';
import { decideAccess } from './access.ts';
import { checkSettings, settingsWarnings } from './claude.ts';
import { type Connection, connect } from './connect.ts';
import { asDispatched, withSubject } from './dispatch.ts';
import type { Door } from './door.ts';
import { checkSigning } from './signing.ts';
import { withBase } from './trusted-config.ts';

/** A "no" with its reason, or the way to GitHub and what the "yes" rests on. */
export type Admission =
  | { declined: Exclude<Decision, { verdict: 'run' }> }
  | {
      declined: null;
      connection: Connection;
      facts: Fact[];
      /** Task and settings as a backend's payload completes them. */
      task: Task;
      config: Config;
    };

/** @throws AppError `invalid_input`, `model_auth`, `github_auth`, `github_unavailable`. */
export async function admit(event: GitHubEvent, task: Task, door: Door): Promise<Admission> {
  mkdirSync(door.scratch, { recursive: true, mode: 0o700 });
  door.remember('run', { mark: door.mark, scratch: door.scratch });
  checkSettings(door, task);
  await checkSigning(door, task);
  for (const warning of settingsWarnings(door, task)) door.warn(warning);
  try {
    const connection = await connect(door, task);
    const { client, credential } = connection;
    const tokenGiven = credential.kind === 'given';
    const [decision, known] = await Promise.all([
      decideAccess({ event, task, client, tokenGiven, config: door.config }),
      withBase(task, client),
    ]);
    if (decision.verdict !== 'run') return { declined: decision };
    const granted = { declined: null, connection, facts: decision.facts, task: known, config: door.config };
    const dispatch = dispatchOf(task);
    if (!dispatch) return granted;
    const config = asDispatched(door.config, dispatch);
    return { ...granted, config, task: await withSubject(task, dispatch, client) };
  } catch (error) {
    // A foreseen "no" that only the token exchange could say.
    if (!(error instanceof WorkflowNotValidated)) throw error;
    const { reason, message } = error;
    return { declined: { verdict: 'ignore', reason, message, facts: [] } };
  }
}
