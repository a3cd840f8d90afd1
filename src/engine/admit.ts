/** Admission: are the settings usable, does GitHub know us, and may this person put Claude to work? */
import { mkdirSync } from 'node:fs';
import { WorkflowNotValidated } from '../github/auth.ts';
import type { GitHubEvent } from '../words/event.ts';
import type { Decision, Fact, Task } from '../words/task.ts';
import { decideAccess } from './access.ts';
import { checkSettings, settingsWarnings } from './claude.ts';
import { type Connection, connect } from './connect.ts';
import type { Door } from './door.ts';

/** A "no" with its reason, or the way to GitHub and what the "yes" rests on. */
export type Admission =
  | { declined: Exclude<Decision, { verdict: 'run' }> }
  | { declined: null; connection: Connection; facts: Fact[] };

/** @throws AppError `invalid_input`, `model_auth`, `github_auth`, `github_unavailable`. */
export async function admit(event: GitHubEvent, task: Task, door: Door): Promise<Admission> {
  mkdirSync(door.scratch, { recursive: true, mode: 0o700 });
  door.remember('run', { mark: door.mark, scratch: door.scratch });
  checkSettings(door, task);
  for (const warning of settingsWarnings(door, task)) door.warn(warning);
  try {
    const connection = await connect(door, task);
    const { client, credential } = connection;
    const tokenGiven = credential.kind === 'given';
    const decision = await decideAccess({ event, task, client, tokenGiven, config: door.config });
    return decision.verdict === 'run'
      ? { declined: null, connection, facts: decision.facts }
      : { declined: decision };
  } catch (error) {
    // A foreseen "no" that only the token exchange could say.
    if (!(error instanceof WorkflowNotValidated)) throw error;
    const { reason, message } = error;
    return { declined: { verdict: 'ignore', reason, message, facts: [] } };
  }
}
