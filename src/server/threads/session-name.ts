/** The name under which a session is found in tmux: `claude-owner-repo-42`. Pure. */
import { createHash } from 'node:crypto';

/** @param key `owner/repo#42` @param isTaken whether another thread has the name: then it gets four digits more. */
export function sessionName(key: string, isTaken: (name: string) => boolean): string {
  const name = `claude-${key.replace(/[/#]/g, '-').replace(/[^A-Za-z0-9_-]/g, '_')}`;
  if (!isTaken(name)) return name;
  return `${name}-${createHash('sha256').update(key).digest('hex').slice(0, 4)}`;
}
