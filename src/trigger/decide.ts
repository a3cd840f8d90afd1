/** The rule that says who may put Claude to work, applied to facts that somebody else has fetched. */
import type { Config } from '../words/config.ts';
import type { Actor, GitHubEvent } from '../words/event.ts';
import type { Decision, Fact, Task } from '../words/task.ts';
import { fullLogin, isOwnActivity } from './own-activity.ts';

/** GitHub's role of a person in the repository; null when GitHub does not know the login as a person. */
export type Permission = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none' | null;

/** What only GitHub knows. A login that is missing from `permissions` counts as null. */
export interface AccessFacts {
  /** By login, as `actorsToCheck` spells it. */
  permissions: Record<string, Permission>;
  /** The login that our token acts as; null when it is not known. */
  ownLogin: string | null;
  /** True for an App and for `github-actions[bot]`: a login that no person shares with us. */
  ownIsBot: boolean;
  /** The actors with the `type` that GitHub gives them, where the event names none. */
  actors: Actor[];
  /** Whether the workflow gave `github_token` itself. */
  githubTokenGiven: boolean;
}

type AccessConfig = Pick<Config, 'allowedBots' | 'allowedNonWriteUsers'>;

/** GitHub lets only people with write access cause these. */
const restrictedByGitHub = new Set([
  'workflow_dispatch',
  'repository_dispatch',
  'schedule',
  'push',
  'release',
  'merge_group',
]);

/** False when the event itself proves write access, so that no request is made to learn it. */
export function needsAccess(event: GitHubEvent): boolean {
  return !restrictedByGitHub.has(event.name);
}

/**
 * Everyone who needs access for this event, each once; empty where `needsAccess` is false. A `workflow_run` runs with
 * the rights of the base repository although an outsider's pull request may have caused it, so its first actor counts too.
 */
export function actorsToCheck(event: GitHubEvent, task: Task): Actor[] {
  if (!needsAccess(event)) return [];
  const { upstreamActor } = event;
  if (!upstreamActor || fullLogin(upstreamActor) === fullLogin(task.actor)) return [task.actor];
  return [task.actor, upstreamActor];
}

/** `run` when everyone concerned has access; `ignore` for our own activity; else `deny`, in words for the one denied. */
export function decide(
  { event, task }: { event: GitHubEvent; task: Task },
  access: AccessFacts,
  config: AccessConfig,
): Decision {
  if (isOwnActivity(event, access.ownLogin, access.ownIsBot)) {
    return {
      verdict: 'ignore',
      reason: 'own_activity',
      message: `\`${access.ownLogin}\` did this itself, and never answers itself.`,
      facts: [{ name: 'own login', value: access.ownLogin ?? 'unknown' }],
    };
  }
  const actors = actorsToCheck(event, task);
  if (actors.length === 0) {
    return {
      verdict: 'run',
      task,
      facts: [{ name: 'access', value: `\`${event.name}\` takes write access` }],
    };
  }
  const checked = actors.map((actor) => ({ actor, ...judge(actor, access, config) }));
  const facts: Fact[] = checked.map(({ actor, why }) => ({ name: `access of ${actor.login}`, value: why }));
  const denied = checked.find(({ allowed }) => !allowed);
  if (!denied) return { verdict: 'run', task, facts };
  const message = `\`${denied.actor.login}\` may not call Claude here: ${denied.why}.`;
  return { verdict: 'deny', reason: 'not_permitted', message, facts };
}

function judge(actor: Actor, access: AccessFacts, config: AccessConfig): { allowed: boolean; why: string } {
  if (isBot(actor, access)) {
    // Write access is common among bots, and many repeat what strangers write: only a name on the list will do.
    return isListed(bareLogin(actor.login), config.allowedBots.map(bareLogin))
      ? { allowed: true, why: 'a bot that `allowed_bots` lists' }
      : { allowed: false, why: 'a bot has to be listed in `allowed_bots`' };
  }
  const permission = Object.hasOwn(access.permissions, actor.login) ? access.permissions[actor.login]! : null;
  if (permission === 'admin' || permission === 'maintain' || permission === 'write') {
    return { allowed: true, why: `permission \`${permission}\`` };
  }
  const had = permission === null ? 'GitHub names no permission' : `the permission is \`${permission}\``;
  if (!isListed(actor.login, config.allowedNonWriteUsers)) {
    return { allowed: false, why: `${had}, and write access is needed` };
  }
  return access.githubTokenGiven
    ? { allowed: true, why: `${had}, but \`allowed_non_write_users\` lets this login in` }
    : {
        allowed: false,
        why: `${had}, and \`allowed_non_write_users\` counts only together with \`github_token\``,
      };
}

function isBot(actor: Actor, { actors }: AccessFacts): boolean {
  const known = [actor, ...actors.filter(({ login }) => login.toLowerCase() === actor.login.toLowerCase())];
  return known.some(({ login, type }) => type === 'Bot' || login.endsWith('[bot]'));
}

function isListed(login: string, list: string[]): boolean {
  return list.some((entry) => entry === '*' || entry.replace(/^@/, '').toLowerCase() === login.toLowerCase());
}

/** A bot's login without `[bot]`, which people leave out of lists. */
function bareLogin(login: string): string {
  return login.replace(/\[bot\]$/i, '');
}
