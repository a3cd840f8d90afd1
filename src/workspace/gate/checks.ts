/** What may leave: every new commit is looked at, and a refusal lists all that is wrong so that Claude can repair it. */
import picomatch from 'picomatch';
import { AppError } from '../../words/errors.ts';
import { shown } from '../../words/shown.ts';
import { type Change, changesOf, differences, newCommits } from './changes.ts';
import { type GateContext, type GateLimits, trustedCommits } from './gate-state.ts';
import { newSecrets, objectSizes, type SecretFinding, secretsOf } from './secret-scan.ts';

/** Problems that one message lists; the rest is counted. */
const listed = 20;

/**
 * Checks every commit that `tip` would add to the target.
 * @param trusted what the target holds already; the gate's own list unless told (a fork's commits are new to the base
 * repository, so publishing them there must say so).
 * @throws AppError `gate_refused`.
 */
export async function checkCommits(context: GateContext, tip: string, trusted?: string[]): Promise<void> {
  const states = await trustedCommits(context, trusted);
  const commits = await newCommits(context, tip, states);
  const changes = await changesOf(context, commits);
  const problems = [
    ...tooManyFiles(changes, context.state.limits),
    ...protectedProblems(await withMergedIn(context, { changes, tip, states }), context.state.limits),
    ...gitlinkProblems(changes, context.state.limits),
    ...(await linkProblems(context, changes)),
    ...(await sizeProblems(context, changes)),
  ];
  // Contents are read only once their sizes are known to be bounded.
  if (!problems.length) problems.push(...(await secretProblems(context, { commits, changes })));
  if (problems.length) throw refusal(problems);
}

/** True for a path that must not change: it matches a glob, or is a link in the place of a directory above one. */
export function isProtected({ path, mode }: { path: string; mode?: string }, limits: GateLimits): boolean {
  if (limits.allowProtectedPaths) return false;
  return limits.protectedPaths.some((glob) => {
    if (picomatch(glob, { dot: true, nocase: true })(path)) return true;
    // `.github` as a link would bring `.github/workflows` with it (checks.test.ts, "a link above").
    const above = `${picomatch.scan(glob).base.toLowerCase()}/`.startsWith(`${path.toLowerCase()}/`);
    return above && (mode === '120000' || mode === '160000');
  });
}

/**
 * Why a link must not be published; null when it stays in the tree. `..` may only lead: after a name it could go up
 * from wherever another link leads to.
 */
export function linkProblem(path: string, target: string): string | null {
  const parts = target.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  const ups = parts.findIndex((part) => part !== '..');
  const leading = ups < 0 ? parts.length : ups;
  if (/^(?:[/\\]|[a-z]:)/i.test(target)) return 'is a symbolic link to an absolute path';
  if (leading > path.split('/').length - 1) return 'is a symbolic link that leaves the repository';
  if (parts.slice(leading).includes('..')) return 'is a symbolic link with `..` after a name';
  if (parts.some((part) => part.toLowerCase() === '.git')) return 'is a symbolic link into `.git`';
  return null;
}

function tooManyFiles(changes: Change[], { maxChangedFiles }: GateLimits): string[] {
  const count = new Set(changes.map(({ path }) => path)).size;
  if (count <= maxChangedFiles) return [];
  return [
    `${count} files are changed, more than \`max_changed_files\` (${maxChangedFiles}). Change fewer, or publish less at a time.`,
  ];
}

function protectedProblems(changes: Change[], limits: GateLimits): string[] {
  return changes
    .filter((change) => isProtected(change, limits))
    .map(
      (change) => `${place(change)} is protected by \`protected_paths\`. Take the change out of the commit.`,
    );
}

/**
 * A merge may also take a protected file as it was in one of its parents, which no diff against all parents shows.
 * So a file that ends up different from every trusted state counts too (checks.test.ts, "an old state by a merge").
 */
async function withMergedIn(
  context: GateContext,
  at: { changes: Change[]; tip: string; states: string[] },
): Promise<Change[]> {
  let different: Change[] | null = null;
  for (const state of at.states) {
    const changes = await differences(context, state, at.tip);
    const paths = new Set(changes.map(({ path }) => path));
    different = different ? different.filter(({ path }) => paths.has(path)) : changes;
  }
  const seen = new Set(at.changes.map(({ path }) => path));
  return [...at.changes, ...(different ?? []).filter(({ path }) => !seen.has(path))];
}

function gitlinkProblems(changes: Change[], { allowProtectedPaths }: GateLimits): string[] {
  if (allowProtectedPaths) return [];
  return changes
    .filter(({ mode }) => mode === '160000')
    .map((change) => `${place(change)} is a submodule that was added or moved. Take it out of the commit.`);
}

async function linkProblems({ run }: GateContext, changes: Change[]): Promise<string[]> {
  const problems: string[] = [];
  for (const change of changes.filter(({ mode }) => mode === '120000')) {
    const target = (await run(['cat-file', 'blob', change.id], { maxOutputBytes: 2 ** 20 })).bytes.toString();
    const problem = linkProblem(change.path, target);
    if (problem) problems.push(`${place(change)} ${problem}. Take it out of the commit.`);
  }
  return problems;
}

async function sizeProblems(context: GateContext, changes: Change[]): Promise<string[]> {
  const { maxFileKib } = context.state.limits;
  const sizes = await objectSizes(context, new Set(files(changes).map(({ id }) => id)));
  return files(changes)
    .filter(({ id }) => (sizes.get(id) ?? 0) > maxFileKib * 1024)
    .map((change) => {
      const kib = Math.ceil(sizes.get(change.id)! / 1024);
      return `${place(change)} has ${kib} KiB, more than \`max_file_kib\` (${maxFileKib}). Take it out of that commit.`;
    });
}

async function secretProblems(
  context: GateContext,
  at: { commits: string[]; changes: Change[] },
): Promise<string[]> {
  const contents = files(at.changes);
  const found = await secretsOf(context, [...contents.map(({ id }) => id), ...at.commits]);
  if (!found.size) return [];
  const old = await secretsBefore(context, at.changes);
  const words = (id: string) => newSecrets(found.get(id) ?? [], old).join(', ');
  return [
    ...contents
      .filter(({ id }) => words(id))
      .map((change) => `${place(change)} contains a secret (${words(change.id)}). ${amend}`),
    ...at.commits
      .filter(words)
      .map(
        (commit) =>
          `The message of commit ${commit.slice(0, 12)} contains a secret (${words(commit)}). ${amend}`,
      ),
  ];
}

const amend = 'Take it out of that commit itself: a later commit leaves it in the history.';

/** What the changed files held before this work; not what an earlier commit of this work put there. */
export async function secretsBefore(context: GateContext, changes: Change[]): Promise<SecretFinding[]> {
  const ours = new Set(changes.map(({ id }) => id));
  const before = changes.flatMap(({ oldIds }) => oldIds).filter((id) => !ours.has(id));
  return [...(await secretsOf(context, before)).values()].flat();
}

function files(changes: Change[]): Change[] {
  return changes.filter(({ mode }) => mode.startsWith('10') || mode === '120000');
}

function place({ path, commit }: Change): string {
  return `${shown(path)} (commit ${commit.slice(0, 12)})`;
}

function refusal(problems: string[]): AppError {
  const unique = [...new Set(problems)];
  const more = unique.length > listed ? [`and ${unique.length - listed} more`] : [];
  const list = [...unique.slice(0, listed), ...more].map((problem) => `- ${problem}`).join('\n');
  return new AppError('gate_refused', `Nothing was published, because of the following:\n${list}`, {
    remedy:
      'Correct the commits that are named (for example `git reset --soft` to where the work began, then commit again).',
  });
}
