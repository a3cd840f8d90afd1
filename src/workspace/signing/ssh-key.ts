/** The key of `ssh_signing_key`: checked before Claude starts, on disk only for as long as something is signed. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../words/errors.ts';
import type { Secret } from '../../words/secret.ts';

const timeoutMs = 10_000;

/**
 * Runs `work` with the key in a file of mode 0600, which is gone when it ends.
 * @param directory private to the host, outside the checkout and the fence.
 */
export async function withKeyFile<T>(
  directory: string,
  key: Secret,
  work: (file: string) => Promise<T>,
): Promise<T> {
  const file = join(directory, `signing-${randomUUID()}`);
  try {
    // ssh-keygen takes neither Windows line ends nor a last line without its end, which forms and secrets lose.
    await writeFile(file, `${key.reveal().replaceAll('\r\n', '\n').trim()}\n`, { mode: 0o600, flag: 'wx' });
    return await work(file);
  } finally {
    await rm(file, { force: true });
  }
}

/** @throws AppError `invalid_input` for what is no private key, or one that asks for a passphrase or a device. */
export async function checkSigningKey(
  directory: string,
  key: Secret,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key.reveal()))
    throw unusable('it is not a private key (there is no line `-----BEGIN … PRIVATE KEY-----`)');
  // The empty passphrase is given, so that ssh-keygen never asks a terminal for one.
  const asked = await withKeyFile(directory, key, (file) =>
    sshKeygen(['-y', '-P', '', '-f', file], environment.PATH),
  );
  if (/^sk-/.test(asked.stdout)) throw unusable('it belongs to a security key, which has to be touched');
  if (asked.code === 0) return;
  if (/passphrase/i.test(asked.stderr)) throw unusable('it is protected by a passphrase');
  const words =
    asked.stderr
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^Load key "[^"]*": /, '') ?? '';
  throw unusable(`ssh-keygen cannot read it (${words || `exit code ${asked.code}`})`);
}

function sshKeygen(
  args: string[],
  path: string | undefined,
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const env = { PATH: path ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };
    const child = spawn('ssh-keygen', args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('error', (cause) =>
      reject(
        new AppError('invalid_input', '`ssh_signing_key` needs `ssh-keygen`, which could not be started.', {
          cause,
          remedy: 'Install OpenSSH (`openssh-client`) on the machine that runs the job.',
        }),
      ),
    );
    child.on('close', (code) => resolve({ code: code ?? 255, stdout, stderr }));
  });
}

function unusable(why: string): AppError {
  return new AppError('invalid_input', `Input \`ssh_signing_key\` cannot sign: ${why}.`, {
    remedy:
      'Make a key for this alone (`ssh-keygen -t ed25519 -N "" -f signing-key`), store the private file as it is in a secret, and add the public one to the account as a signing key.',
  });
}
