/** Fetches the facts that the access rule needs, and no others: most runs cost one request here. */
import type { GitHubClient } from '../github/client.ts';
import { fetchPermission, fetchViewer } from '../github/permissions.ts';
import { type AccessFacts, actorsToCheck, decide } from '../trigger/decide.ts';
import type { Config } from '../words/config.ts';
import type { Actor, GitHubEvent } from '../words/event.ts';
import type { Decision, Task } from '../words/task.ts';

export interface AccessQuestion {
  event: GitHubEvent;
  task: Task;
  client: GitHubClient;
  /** True unless the credential is an App's: only then can our login be a person's. */
  tokenGiven: boolean;
  /** `allowed_non_write_users` counts also without a given token: the server's operator wrote it, not a workflow. */
  trustsList?: boolean;
  config: Config;
}

/** `run`, or the "no" with its facts. @throws AppError when GitHub cannot be asked. */
export async function decideAccess({
  event,
  task,
  client,
  tokenGiven,
  trustsList = false,
  config,
}: AccessQuestion): Promise<Decision> {
  const actors = actorsToCheck(event, task);
  const people = actors.filter((actor) => !isBot(actor));
  const [permissions, viewer] = await Promise.all([
    Promise.all(
      people.map(
        async ({ login }) => [login, await fetchPermission(client, task.repository, login)] as const,
      ),
    ),
    mayBeOurs(event, actors) ? fetchViewer(client) : null,
  ]);
  const facts: AccessFacts = {
    permissions: Object.fromEntries(permissions),
    ownLogin: viewer?.login ?? null,
    ownIsBot: !tokenGiven || (viewer?.login.endsWith('[bot]') ?? false),
    actors,
    githubTokenGiven: tokenGiven || trustsList,
  };
  return decide({ event, task }, facts, config);
}

/** Only what a bot did, or what carries our marker, can be our own activity: nothing else is worth asking who we are. */
function mayBeOurs(event: GitHubEvent, actors: Actor[]): boolean {
  return actors.some(isBot) || isBot(event.sender) || (event.item?.body.includes('<!-- forgehand') ?? false);
}

function isBot(actor: Actor): boolean {
  return actor.type === 'Bot' || actor.login.endsWith('[bot]');
}
