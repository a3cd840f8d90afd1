/** Tells what Forgehand did itself from what others did, so that it never answers itself. */
import type { Actor, GitHubEvent } from '../words/event.ts';

/** Begins each hidden marker that Forgehand leaves in what it writes. */
const ownMarker = '<!-- forgehand';

/** Started on purpose by a program or a clock, also by ours: not an activity that could answer itself. */
const startedOnPurpose = new Set(['workflow_dispatch', 'repository_dispatch', 'schedule']);

/**
 * Whether the event is something that we did: written by our login and carrying our marker, or, where the login is
 * ours alone, anything done by it. Without this rule two runs could answer each other for ever.
 */
export function isOwnActivity(event: GitHubEvent, ownLogin: string | null, ownIsBot: boolean): boolean {
  if (!ownLogin || startedOnPurpose.has(event.name)) return false;
  const own = fullLogin({ login: ownLogin, type: ownIsBot ? 'Bot' : undefined });
  const { item, sender, upstreamActor } = event;
  // A marker in other people's text proves nothing: anyone can copy it, so the author is asked first.
  if (item && fullLogin(item.author) === own && (ownIsBot || item.body.includes(ownMarker))) return true;
  return ownIsBot && [sender, upstreamActor].some((actor) => actor && fullLogin(actor) === own);
}

/** To compare with: a person may be called like a bot, so that only the suffix tells them apart. */
export function fullLogin({ login, type }: Actor): string {
  const lower = login.toLowerCase();
  return type === 'Bot' && !lower.endsWith('[bot]') ? `${lower}[bot]` : lower;
}
