/** The push gate: made before Claude has the workspace, it is the only way by which Claude's work leaves. */
import { randomUUID } from 'node:crypto';
import { copyFile, lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfigFile } from '../clean-config.ts';
import { git } from '../git.ts';
import { copyTrustedObjects, makeRepository } from '../object-store.ts';
import { absent } from '../plain-files.ts';
import { checkCommits } from './checks.ts';
import {
  type GateContext,
  type GateLimits,
  type GateOptions,
  type GateState,
  gateContext,
  type Target,
} from './gate-state.ts';
import { type Taken, takeCommits } from './import.ts';
import { commitLeftovers, type LeftoverRequest, type Leftovers } from './leftovers.ts';
import { keepPatch, type Patch } from './patch.ts';
import { type Published, type PublishRequest, publish } from './publish.ts';
import { type Pushed, type PushRequest, pushCommit } from './push.ts';
import { type TrialMerge, type TrialRequest, trialMerge } from './trial-merge.ts';
import { rememberTree } from './work-tree.ts';

export interface GateRequest extends GateOptions {
  /** The checkout, absolute, opened and on the task's branch. Claude has not had it yet. */
  workspace: string;
  /** A private directory of this run, outside the checkout. */
  scratch: string;
  /** The local branch that Claude works on. */
  branch: string;
  /** The commit that it starts from. */
  base: string;
  /** Commits that the target holds already, besides `base`; only what they do not reach is checked. */
  trusted?: string[];
  /** True (unless told) when the target holds `base`; false for a fork's head that goes to the base repository. */
  baseIsTrusted?: boolean;
  targets: Target[];
  neverTo: Target[];
  limits: GateLimits;
}

/** One gate; its operations run one after the other, whoever calls them. */
export interface Gate {
  /** JSON for `openGate`, constant for the whole run. */
  state: GateState;
  /** Takes Claude's commits into the gate. @throws AppError `gate_refused` */
  take(): Promise<Taken>;
  /** Commits uncommitted work on top of `tip`, in the gate only. */
  leftovers(tip: string, request: LeftoverRequest): Promise<Leftovers>;
  /** @throws AppError `gate_refused` that lists every offending path and commit. */
  check(tip: string, trusted?: string[]): Promise<void>;
  push(request: PushRequest): Promise<Pushed>;
  /** The order of all of the above: stop processes, take, leftovers, check, push. */
  publish(request: PublishRequest): Promise<Published>;
  /** Tries to merge what was published last with its base, as that is now; null when there is nothing to say. */
  trialMerge(request: TrialRequest): Promise<TrialMerge | null>;
  /** Keeps unpublished work as a file for `git apply`; null when there is none. */
  patch(file: string): Promise<Patch | null>;
}

/**
 * Copies what the workspace holds now, while it can be trusted, and remembers what is uncommitted in it.
 * @throws AppError `git_failed` when the base is not in the workspace.
 */
export async function createGate(request: GateRequest): Promise<Gate> {
  const { workspace, branch, base, targets, neverTo, limits } = request;
  const gitDirectory = join(workspace, '.git');
  const directory = join(request.scratch, `gate-${randomUUID()}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const repository = join(directory, 'repository.git');
  await makeRepository(repository);
  const partial = await copyTrustedObjects(gitDirectory, repository);
  for (const name of ['shallow', 'info/exclude', 'info/attributes']) {
    const found = await lstat(join(gitDirectory, name)).catch(absent);
    if (found?.isFile()) await copyFile(join(gitDirectory, name), join(repository, name));
  }
  const trusted = [...(request.baseIsTrusted === false ? [] : [base]), ...(request.trusted ?? [])];
  const fileConfig = await fileConfigOf(join(gitDirectory, 'config'));
  const state: GateState = {
    workspace,
    directory,
    branch,
    base,
    trusted,
    targets,
    neverTo,
    limits,
    partial,
    changesHands: Boolean(request.fence?.owner),
    fileConfig,
  };
  const context = gateContext(state, request);
  const refs = [...new Set([base, ...trusted])].map((sha, index) => `create refs/base/${index} ${sha}\n`);
  if (context.signing) refs.push(...(await knownCommits(request)));
  await context.run(['update-ref', '--stdin'], { stdin: refs.join('') });
  await rememberTree(context);
  return gateOf(context);
}

/** Opens the gate of an earlier process of the same run (`post`, after main was killed). */
export function openGate(state: GateState, options: GateOptions = {}): Gate {
  return gateOf(gateContext(state, options));
}

function gateOf(context: GateContext): Gate {
  let last: Promise<unknown> = Promise.resolve();
  // Claude may call a publishing tool twice at once: two imports at a time would fight over the gate's refs.
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
  return {
    state: context.state,
    take: () => inTurn(() => takeCommits(context)),
    leftovers: (tip, request) => inTurn(() => commitLeftovers(context, tip, request)),
    check: (tip, trusted) => inTurn(() => checkCommits(context, tip, trusted)),
    push: (request) => inTurn(() => pushCommit(context, request)),
    publish: (request) => inTurn(() => publish(context, request)),
    trialMerge: (request) => inTurn(() => trialMerge(context, request)),
    patch: (file) => inTurn(() => keepPatch(context, file)),
  };
}

/** The remote-tracking branches: somebody else's commits, which Claude may merge and nobody may sign as its work. */
async function knownCommits({ workspace, environment, signal }: GateRequest): Promise<string[]> {
  const options = { gitDir: join(workspace, '.git'), environment, signal };
  const listed = await git(['for-each-ref', '--format=%(objectname)', 'refs/remotes'], options);
  const shas = [...new Set(listed.stdout.split('\n').filter(Boolean))];
  return shas.map((sha, index) => `create refs/known/${index} ${sha}\n`);
}

/** Only what decides how a file becomes a blob, from a configuration that was cleaned. */
async function fileConfigOf(file: string): Promise<Record<string, string>> {
  const wanted = [
    'core.autocrlf',
    'core.eol',
    'core.filemode',
    'core.ignorecase',
    'core.symlinks',
    'core.precomposeunicode',
  ];
  const entries = await readConfigFile(file);
  return Object.fromEntries(
    entries.filter(({ key }) => wanted.includes(key)).map(({ key, value }) => [key, value ?? 'true']),
  );
}
