/** Who commits are attributed to. */
import type { Actor } from '../words/event.ts';
import type { Identity } from '../workspace/git.ts';
import type { Door } from './door.ts';

/** The configured bot; with the settings left at their defaults, the login that the credential acts as, when it is known. */
export function identityOf({ config, host }: Pick<Door, 'config' | 'host'>, viewer: Actor | null): Identity {
  const isDefault = config.botId === '41898282' && config.botName === 'claude[bot]';
  const [name, id] =
    isDefault && viewer?.login && viewer.id ? [viewer.login, viewer.id] : [config.botName, config.botId];
  return { name, email: `${id}+${name}@users.noreply.${new URL(host.serverUrl).hostname}` };
}
