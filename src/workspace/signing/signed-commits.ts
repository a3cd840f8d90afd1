/** Claude's commits under the ids that they get by being signed: which there are, and what is published for each. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GateContext, knownRefs } from '../gate/gate-state.ts';
import type { Identity } from '../git.ts';
import { absent } from '../plain-files.ts';
import type { SigningKey } from './signing.ts';
import { withKeyFile } from './ssh-key.ts';

/** A commit of Claude's that has to be made anew, with the same message, on the published parents. */
export interface OwnCommit {
  sha: string;
  tree: string;
  /** As Claude has them. */
  parents: string[];
  message: string;
}

/** What stands for one of Claude's commits where it is published; its files may hold those of others' commits too. */
export interface PublishedCommit {
  sha: string;
  tree: string;
}

/** By Claude's ids; in the gate's directory, so that `post` goes on where a killed main was. */
export interface SignedCommits {
  get(sha: string): PublishedCommit | undefined;
  /** What the commit is called where it is published: its own id when it was there before this run. */
  published(sha: string): string;
  keys(): string[];
  values(): string[];
  set(sha: string, published: PublishedCommit): Promise<void>;
  /** For what was made and never came to its branch. */
  forget(shas: string[]): Promise<void>;
}

/** @param place where these ids hold: what is made on top of one branch's commits is not on another. */
export async function signedCommits({ state }: GateContext, place: string): Promise<SignedCommits> {
  const file = join(state.directory, 'signed.json');
  const text = await readFile(file, 'utf8').catch(absent);
  const all: Record<string, Record<string, PublishedCommit>> = text ? JSON.parse(text) : {};
  all[place] ??= {};
  const here = all[place];
  const save = async () => {
    await writeFile(`${file}.new`, JSON.stringify(all), { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  return {
    get: (sha) => here[sha],
    published: (sha) => here[sha]?.sha ?? sha,
    keys: () => Object.keys(here),
    values: () => Object.values(here).map(({ sha }) => sha),
    set: async (sha, published) => {
      here[sha] = published;
      await save();
    },
    forget: async (shas) => {
      for (const sha of shas) delete here[sha];
      await save();
    },
  };
}

/** What `tip` adds and nobody has signed yet, parents first. What the checkout held before Claude had it stays as it is. */
export async function unsignedCommits(
  { state, run }: GateContext,
  tip: string,
  signed: SignedCommits,
): Promise<OwnCommit[]> {
  const known = [state.base, ...state.trusted, ...signed.keys()];
  const args = ['rev-list', '--topo-order', '--reverse', tip, '--not', ...known, `--glob=${knownRefs}`];
  const shas = (await run(args)).stdout.split('\n').filter(Boolean);
  const commits: OwnCommit[] = [];
  for (const sha of shas) {
    const { bytes } = await run(['cat-file', 'commit', sha]);
    const end = bytes.indexOf('\n\n');
    const head = bytes.subarray(0, end).toString();
    commits.push({
      sha,
      tree: /^tree (\w+)$/m.exec(head)![1]!,
      parents: [...head.matchAll(/^parent (\w+)$/gm)].map(([, parent]) => parent!),
      message: bytes.subarray(end + 2).toString(),
    });
  }
  return commits;
}

/**
 * Signs what `tip` adds; Claude may write any author, so what this key vouches for is attributed to its owner.
 * @returns the signed tip, in the gate's repository.
 */
export async function signCommits(
  context: GateContext,
  tip: string,
  { key, identity }: { key: SigningKey; identity: Identity },
): Promise<string> {
  // These are made here and pushed: they hold wherever they go.
  const signed = await signedCommits(context, 'ssh');
  const commits = await unsignedCommits(context, tip, signed);
  if (commits.length)
    await withKeyFile(context.state.directory, key, async (file) => {
      const config = { 'gpg.format': 'ssh', 'gpg.ssh.program': 'ssh-keygen', 'user.signingKey': file };
      for (const { sha, tree, parents, message } of commits) {
        const on = parents.flatMap((parent) => ['-p', signed.published(parent)]);
        const made = await context.run(['commit-tree', '-S', tree, ...on], {
          ...{ config, identity, stdin: message },
        });
        await signed.set(sha, { sha: made.stdout, tree });
      }
    });
  return signed.published(tip);
}
