/** Publishes Claude's work: while it works, at the end of a run, and in `post` when main was killed. */
import { join } from 'node:path';
import { AppError } from '../words/errors.ts';
import type { Log } from '../words/log.ts';
import type { PublishedBranch } from '../words/result.ts';
import { Secret } from '../words/secret.ts';
import { shown } from '../words/shown.ts';
import type { Gate } from '../workspace/gate/gate.ts';
import type { GateState, Target } from '../workspace/gate/gate-state.ts';
import type { NamedFiles } from '../workspace/gate/named-files.ts';
import type { Published, PublishRequest } from '../workspace/gate/publish.ts';
import type { Identity } from '../workspace/git.ts';
import type { Remote } from '../workspace/remote.ts';

/** What publishing needs besides the gate; JSON, so that `post` can go on with it. */
export interface Publishing {
  gate: GateState;
  serverUrl: string;
  base: { ref: string; sha: string };
  identity: Identity;
  /** First line of the commit that takes up what was left uncommitted. */
  leftoverMessage: string;
  /** Where unpublished work is kept. */
  patchFile: string;
}

export interface PublisherOptions {
  publishing: Publishing;
  gate: Gate;
  token(): Promise<string>;
  /** Ends the processes of this run. */
  stop(): Promise<void>;
  /** Where the base branch is, to see at the end whether the work still merges; not looked at unless told. */
  base?: { repository: string; tip(): Promise<string | null> };
  /** Told after each push, so that the branch is known even when this process is killed before the end. */
  onPublished?(branch: PublishedBranch): void;
  /** Milliseconds that one push may take; git's own limit unless told. */
  pushTimeoutMs?: number;
  log: Log;
}

export interface Publisher {
  /** For the tool `push_changes`: publishes what is committed. @throws AppError `gate_refused` with what to repair. */
  push(): Promise<string>;
  /** For `commit_files` and `delete_files`: commits these and publishes. @throws as `push`, with nothing committed. */
  commit(request: { message: string; files: NamedFiles }): Promise<string>;
  /** The end: publishes everything, or keeps it as a patch. Never throws: a failure is part of the answer. */
  finish(): Promise<{ branch: PublishedBranch | null; error: unknown; notes: string[] }>;
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { publishing, gate, token, stop, pushTimeoutMs, log } = options;
  const { targets } = gate.state;
  let at = 0;
  let branch: PublishedBranch | null = null;
  const joined = new Map<Target, number>();
  const unverified: string[] = [];

  const remoteOf = async (repository: string): Promise<Remote> => ({
    url: `${publishing.serverUrl}/${repository}.git`,
    token: new Secret(await token()),
  });

  const publishTo = async (
    target: Target,
    request: Pick<PublishRequest, 'leftovers' | 'stop'>,
  ): Promise<Published> => {
    const remote = await remoteOf(target.repository);
    // A fork's commits are new to the base repository: there they are all checked.
    const crossing = target.repository !== targets[0]?.repository;
    const trusted = crossing ? { trusted: [publishing.base.sha] } : {};
    return gate.publish({ target, remote, pushTimeoutMs, ...request, ...trusted });
  };

  const publish = async (request: Pick<PublishRequest, 'leftovers' | 'stop'>): Promise<Published> => {
    for (;;) {
      const target = targets[at];
      if (!target) throw nowhere(targets);
      const isLast = at === targets.length - 1;
      const published = await publishTo(target, request).catch((error) => {
        // Without the right to write to a fork the work goes to a branch of this repository.
        if (
          error instanceof AppError &&
          error.reason === 'github_auth' &&
          target.repository !== targets[at + 1]?.repository &&
          !isLast
        )
          return null;
        throw error;
      });
      if (published?.outcome === 'pushed') {
        branch = {
          name: target.branch,
          base: publishing.base.ref,
          sha: published.sha,
          commits: (branch?.commits ?? 0) + published.commits,
          repository: target.repository,
        };
        options.onPublished?.(branch);
        if (published.joined) joined.set(target, (joined.get(target) ?? 0) + published.joined);
        unverified.push(...(published.unverified ?? []));
      }
      if (published && published.outcome !== 'moved') return published;
      if (published?.conflicts?.length && request.leftovers?.named)
        throw inConflict(target, published.conflicts);
      log.notice(
        `${shown(target.branch)} of ${target.repository} ${published ? (target.isNew ? 'is taken' : 'has moved') : 'may not be written'}; trying the next name.`,
      );
      at += 1;
    }
  };

  const told = ({ commits, target, sha, joined = 0 }: Published): string => {
    const elsewhere =
      at === 0 ? '' : ` (${shown(targets[0]!.branch)} of ${targets[0]!.repository} could not be used)`;
    const others = joined ? ` ${onTop(target, joined)} Your checkout does not have them.` : '';
    return `Published ${plural(commits, 'commit')} to ${shown(target.branch)} of ${target.repository}${elsewhere}; it is at ${sha}.${others}`;
  };

  const tryMerge = async ({ repository, tip }: NonNullable<PublisherOptions['base']>) => {
    const before = publishing.base.sha;
    const now = await tip();
    if (!now || now === before) return null;
    return gate.trialMerge({ remote: await remoteOf(repository), base: { before, now } });
  };

  /** Only a note: without an answer there is none. */
  const notesOnBase = async (): Promise<string[]> => {
    const { base: now } = options;
    if (!now || !branch) return [];
    const { base } = publishing;
    const trial = await tryMerge(now).catch((error: Error) => {
      log.debug(`Whether the work merges with ${shown(base.ref)} is not known: ${error.message}`);
      return null;
    });
    if (!trial) return [];
    const moved = `${shown(base.ref)} has ${plural(trial.newer, 'newer commit')}`;
    if (trial.conflicts.length)
      return [
        `${moved}, and a trial merge conflicts in ${listed(trial.conflicts)}. Nothing was merged: merge ${shown(base.ref)} into ${shown(branch.name)}, or ask for it.`,
      ];
    // A pull request's own page counts from its own beginning.
    return publishing.gate.base === base.sha ? [`${moved}; a trial merge with it is clean.`] : [];
  };

  return {
    push: async () => {
      const published = await publish({ leftovers: null });
      return published.outcome === 'nothing'
        ? `There is nothing new to publish: ${shown(published.target.branch)} has all commits. Commit your changes first.`
        : told(published);
    },
    commit: async ({ message, files }) => {
      const leftovers = { message: `${message}\n`, identity: publishing.identity, named: files };
      const published = await publish({ leftovers });
      return published.outcome === 'nothing'
        ? `There is nothing to commit: ${shown(published.target.branch)} has these files as they are.`
        : told(published);
    },
    finish: async () => {
      const notes: string[] = [];
      try {
        const leftovers = { message: publishing.leftoverMessage, identity: publishing.identity };
        const { left } = await publish({ leftovers, stop });
        if (left.length > 0) {
          notes.push(`Not committed: ${left.map(({ path, why }) => `${shown(path)} (${why})`).join(', ')}.`);
          notes.push(...(await keep(gate, publishing)));
        }
        if (at > 0 && branch)
          notes.push(
            `The work is on ${shown(branch.name)}, as ${shown(targets[0]!.branch)} of ${targets[0]!.repository} could not be used.`,
          );
        for (const [target, count] of joined) notes.push(`${onTop(target, count)} They were not looked at.`);
        if (unverified.length)
          notes.push(
            `GitHub did not sign ${unverified.map((sha) => sha.slice(0, 12)).join(', ')}: what has executable files, links or merges it signs for Apps only.`,
          );
        if (branch) notes.push(...(await notesOnBase()));
        return { branch, error: null, notes };
      } catch (error) {
        return { branch, error, notes: await keep(gate, publishing) };
      }
    },
  };
}

function onTop({ branch }: Target, count: number): string {
  return `The work on ${shown(branch)} is on top of ${plural(count, 'newer commit')} that others have pushed meanwhile.`;
}

/** Claude cannot read what others pushed after the request, so it cannot merge it either. */
function inConflict({ branch }: Target, paths: string[]): AppError {
  return new AppError(
    'gate_refused',
    `Nothing was committed: newer commits that others have pushed to ${shown(branch)} change the same places of ${paths.map(shown).join(', ')}. Your checkout does not have them, and they stay as they are.`,
    {
      remedy:
        'Go on with your other files. Leave these in your checkout and say so in your report: when you end, all of your work is published on a branch of its own.',
    },
  );
}

async function keep(gate: Gate, publishing: Publishing): Promise<string[]> {
  try {
    const patch = await gate.patch(publishing.patchFile);
    return patch
      ? [
          `What is not published is kept as a patch on the machine of this run: \`${patch.file}\`. In a workflow, actions/upload-artifact brings it out.`,
        ]
      : [];
  } catch (error) {
    return [`The unpublished work could not be kept as a patch: ${(error as Error).message}`];
  }
}

/** Where a run keeps what it could not publish: it outlives the run's own scratch directory. */
export function patchPath(temp: string, run: { id: string; attempt: string }): string {
  return join(temp, `forgehand-${run.id || 'local'}-${run.attempt}.patch`);
}

function nowhere(targets: Target[]): AppError {
  const names = targets.map(({ repository, branch }) => `${shown(branch)} of ${repository}`).join(', ');
  return new AppError(
    'git_failed',
    `No branch is left for this work, as others have commits there: ${names}.`,
    {
      remedy: 'Delete or rename one of them on GitHub, or set another `branch_prefix`, and ask again.',
    },
  );
}

function listed(paths: string[]): string {
  const more = paths.length > 5 ? ` and ${paths.length - 5} more` : '';
  return `${paths.slice(0, 5).map(shown).join(', ')}${more}`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
