/** Which of the two settings signs what is published, and whether it can. */
import type { GitHubClient } from '../github/client.ts';
import { fetchViewer } from '../github/permissions.ts';
import type { Config } from '../words/config.ts';
import { hasBranch, type Task } from '../words/task.ts';
import type { Identity } from '../workspace/git.ts';
import type { Signing } from '../workspace/signing/signing.ts';
import { checkSigningKey } from '../workspace/signing/ssh-key.ts';
import type { Door } from './door.ts';
import { identityOf } from './identity.ts';

type SigningSettings = Pick<Config, 'sshSigningKey' | 'useCommitSigning'>;

/** A key of the caller's own goes before GitHub's signature, as in `anthropics/claude-code-action`. */
export function signingOf(
  { sshSigningKey, useCommitSigning }: SigningSettings,
  { client, identity }: { client: GitHubClient; identity: Identity },
): Signing | null {
  if (sshSigningKey) return { by: 'ssh', key: sshSigningKey, identity };
  return useCommitSigning ? { by: 'github', client } : null;
}

/** Whose signature it is, is not for a memory of main's to say, where Claude's processes could write. */
export async function signingInPost(
  job: Pick<Door, 'config' | 'host'>,
  client: GitHubClient,
): Promise<Signing | null> {
  const { sshSigningKey } = job.config;
  const viewer = sshSigningKey ? await fetchViewer(client).catch(() => null) : null;
  return signingOf(job.config, { client, identity: identityOf(job, viewer) });
}

/** Whether Claude has `commit_files` and `delete_files` in the place of `git commit` and `push_changes`. */
export function commitsByFile({ sshSigningKey, useCommitSigning }: SigningSettings): boolean {
  return useCommitSigning && !sshSigningKey;
}

export function signingWarnings({ config }: Pick<Door, 'config'>, task: Task): string[] {
  const { sshSigningKey, useCommitSigning } = config;
  const given = [sshSigningKey && '`ssh_signing_key`', useCommitSigning && '`use_commit_signing`'];
  const names = given.filter(Boolean).join(' and ');
  if (names && !hasBranch(task)) return [`No effect on a \`prompt\` alone, which has no branch: ${names}.`];
  if (sshSigningKey && useCommitSigning)
    return [`${names} are both given: commits are signed with the key, and pushed.`];
  return [];
}

/** @throws AppError `invalid_input` for a key that cannot sign: before Claude starts, not when its work is done. */
export async function checkSigning({ config, scratch, job }: Door, task: Task): Promise<void> {
  if (config.sshSigningKey && hasBranch(task)) await checkSigningKey(scratch, config.sshSigningKey, job);
}
