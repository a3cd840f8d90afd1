/** For the tests of signing: keys as people make them, and what Git says of a signature. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface KeyPair {
  /** The private file's text. */
  key: string;
  publicKey: string;
}

/** @param options further words for ssh-keygen, such as `-t rsa`. */
export function makeKey(passphrase = '', options: string[] = ['-t', 'ed25519']): KeyPair {
  const directory = mkdtempSync(join(tmpdir(), 'forgehand-key-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'key');
  const made = spawnSync('ssh-keygen', ['-q', ...options, '-N', passphrase, '-C', 'test', '-f', file], {
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(made.stderr);
  return { key: readFileSync(file, 'utf8'), publicKey: readFileSync(`${file}.pub`, 'utf8') };
}

/** True when Git finds the commit signed by this key for this address. */
export function isSignedBy(
  repository: string,
  sha: string,
  { publicKey, email }: { publicKey: string; email: string },
): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'forgehand-signers-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const signers = join(directory, 'allowed');
  writeFileSync(signers, `${email} ${publicKey}`);
  const args = ['-c', `gpg.ssh.allowedSignersFile=${signers}`, 'verify-commit', sha];
  return spawnSync('git', args, { cwd: repository, encoding: 'utf8' }).status === 0;
}
