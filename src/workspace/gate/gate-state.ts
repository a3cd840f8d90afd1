/** What the parts of the push gate share: its serialisable state, and git on the gate's own repository. */
import { join } from 'node:path';
import type { Fence } from '../../words/fence.ts';
import { type Environment, type GitOptions, type GitOutput, git } from '../git.ts';
import type { Signing } from '../signing/signing.ts';

/** A branch of a repository that the task may publish to. */
export interface Target {
  /** `owner/repo`. */
  repository: string;
  branch: string;
  /** True for a name that this task makes itself: a branch that is there already is somebody else's. */
  isNew?: boolean;
}

/** The settings of the same names. */
export interface GateLimits {
  protectedPaths: string[];
  allowProtectedPaths: boolean;
  maxChangedFiles: number;
  maxFileKib: number;
}

/** Plain data: what `post` needs to open the gate again. Made by the host before Claude had the workspace. */
export interface GateState {
  /** The checkout, absolute. */
  workspace: string;
  /** The gate's own directory under scratch. */
  directory: string;
  /** The task's local branch in the checkout. */
  branch: string;
  /** The commit that everything must descend from. */
  base: string;
  /** Commits that are on the target already: what they reach is not checked again. */
  trusted: string[];
  /** Where the task may publish: its branch, and the names to fall back to. */
  targets: Target[];
  /** Branches that are never published to, whatever `targets` says: the base and the default branch. */
  neverTo: Target[];
  limits: GateLimits;
  /** True when the checkout is a partial clone, whose unchanged files may be missing. */
  partial: boolean;
  /** True when the files get another owner for Claude's time, which changes their change time. */
  changesHands: boolean;
  /** How files become blobs on this machine (`core.autocrlf`, `core.fileMode`, …). */
  fileConfig: Record<string, string>;
}

export interface GateContext {
  state: GateState;
  /** The gate's bare repository. */
  repository: string;
  /** Runs git on the gate's repository; never in the workspace. */
  run(args: string[], options?: GitOptions): Promise<GitOutput>;
  /** Secret values of this run, for the scan. */
  secrets(): string[];
  /** What Claude ran in, and what git runs in where it reads what Claude has written; null where there is none. */
  fence: Fence | null;
  /** How what is published gets signed; null for commits as Claude made them. */
  signing: Signing | null;
}

export interface GateOptions {
  environment?: Environment;
  signal?: AbortSignal;
  /** Secret values of this run; read at each scan, so that refreshed tokens are covered. */
  secrets?: () => Iterable<string>;
  fence?: Fence | null;
  signing?: Signing | null;
}

/** What the last successful push left on the target. */
const publishedRef = 'refs/published/tip';

/** What the checkout knew of its server before Claude had it: not Claude's work, so it is never signed. */
export const knownRefs = 'refs/known/*';

export function gateContext(state: GateState, options: GateOptions): GateContext {
  const { environment, signal, secrets, fence = null, signing = null } = options;
  const repository = join(state.directory, 'repository.git');
  return {
    state,
    repository,
    run: (args, given) => git(args, { gitDir: repository, environment, signal, ...given }),
    secrets: () => [...(secrets?.() ?? [])],
    fence,
    signing,
  };
}

/** The commit that new work must descend from: what was published last, else the base. */
export async function requiredAncestor(context: GateContext): Promise<string> {
  return (await publishedTip(context)) ?? context.state.base;
}

/** What the target holds already: as told for another target, else the gate's own list and what it published. */
export async function trustedCommits(context: GateContext, told?: string[]): Promise<string[]> {
  if (told) return told;
  const published = await publishedTip(context);
  return published ? [...context.state.trusted, published] : context.state.trusted;
}

/** What this run has published last, wherever that was; null when it has not. */
export async function publishedTip({ run }: GateContext): Promise<string | null> {
  return (await run(['rev-parse', '--verify', '-q', publishedRef], { allowedCodes: [0, 1] })).stdout || null;
}

/** In the gate's repository, not in the state: it survives a kill between the push and saving the state. */
export async function setPublished({ run }: GateContext, sha: string): Promise<void> {
  await run(['update-ref', publishedRef, sha]);
}

export function isSameTarget(one: Target, other: Target): boolean {
  return one.repository.toLowerCase() === other.repository.toLowerCase() && one.branch === other.branch;
}

export async function isAncestor({ run }: GateContext, older: string, newer: string): Promise<boolean> {
  return (await run(['merge-base', '--is-ancestor', older, newer], { allowedCodes: [0, 1] })).code === 0;
}

/** Text split at NUL, as `-z` prints it. */
export function splitZ(text: string): string[] {
  return text.split('\0').filter(Boolean);
}
