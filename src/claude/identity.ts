/** The job's identity as Claude Code's credential: an OIDC token in a private file, replaced before it expires. */
import { chown, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from './environment.ts';
import type { Owner } from './fence-owner.ts';

export interface IdentityRequest {
  /** A new token each time: the exchange takes each of them once. */
  mint(): Promise<string>;
  /** A private directory of the run. */
  scratch: string;
  /** Told when a token could not be replaced; it is tried again. */
  onProblem(error: Error): void;
  /** Milliseconds between two tokens; GitHub's live for five minutes. */
  everyMs?: number;
}

export interface Identity {
  /** Holds the file and nothing else; seen in the fence, and never written there. */
  directory: string;
  /** What tells Claude Code where the file is. */
  environment: Environment;
  /** Lets the fence's user read it. */
  giveTo(owner: Owner): Promise<void>;
  close(): void;
}

const fourMinutes = 240_000;

/** Writes the first token. @throws what `mint` throws. */
export async function openIdentity(request: IdentityRequest): Promise<Identity> {
  const directory = join(request.scratch, 'identity');
  const file = join(directory, 'token');
  let owner: Owner | null = null;
  // The directory is ours alone and seen in the fence read-only: no link can be put where the next token is written.
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const write = async () => {
    const token = await request.mint();
    const next = `${file}.next`;
    await writeFile(next, token, { mode: 0o600 });
    if (owner) await chown(next, owner.uid, owner.gid);
    await rename(next, file);
  };
  await write();
  const timer = setInterval(() => void write().catch(request.onProblem), request.everyMs ?? fourMinutes);
  timer.unref();
  return {
    directory,
    environment: { ANTHROPIC_IDENTITY_TOKEN_FILE: file },
    giveTo: async (user) => {
      owner = user;
      await chown(file, user.uid, user.gid);
    },
    close: () => clearInterval(timer),
  };
}
