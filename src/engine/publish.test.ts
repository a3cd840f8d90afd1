import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createLog } from '../words/log.ts';
import { createGate } from '../workspace/gate/gate.ts';
import type { Target } from '../workspace/gate/gate-state.ts';
import {
  commit,
  makeProject,
  type Project,
  serveGit,
  shellGit,
  testToken,
  write,
} from '../workspace/local-remote.test-support.ts';
import { openWorkspace } from '../workspace/workspace.ts';
import { createPublisher, type Publisher } from './publish.ts';

const repository = 'owner/repo';
const identity = { name: 'claude[bot]', email: 'claude@example.com' };
const fresh = ['claude/new', 'claude/new-2', 'claude-new'].map((branch) => ({
  repository,
  branch,
  isNew: true,
}));
/** What the second name is tried for is in the note at the end. */
const elsewhere = (name: string, wanted: string) =>
  `The work is on \`${name}\`, as \`${wanted}\` of ${repository} could not be used.`;

interface Work {
  directory: string;
  publisher: Publisher;
  patchFile: string;
}

/** A run of its own on the project: a checkout of `ref`, a gate, and a publisher. */
async function begin(
  project: Project,
  name: string,
  { ref = 'main', targets = fresh as Target[], args = [] as string[] } = {},
): Promise<Work> {
  const directory = join(project.root, name);
  shellGit(project.root, 'clone', '-q', ...args, '--branch', ref, project.fileRemote.url, directory);
  const server = await serveGit(join(project.root, 'server'));
  const scratch = join(project.root, `${name}-scratch`);
  const workspace = await openWorkspace({ directory, scratch });
  const base = { ref: 'main', sha: workspace.headSha };
  const { remote } = server;
  const branch = ref === 'main' ? 'claude/new' : ref;
  if (ref === 'main') await workspace.startBranch({ branch, baseRef: 'main', baseSha: base.sha, remote });
  const gate = await createGate({
    ...{ workspace: directory, scratch, branch, base: base.sha, targets },
    neverTo: [{ repository, branch: 'main' }],
    limits: { protectedPaths: [], allowProtectedPaths: true, maxChangedFiles: 9, maxFileKib: 9 },
  });
  const patchFile = join(project.root, `${name}.patch`);
  const publishing = {
    ...{ gate: gate.state, serverUrl: server.origin, base, identity, patchFile },
    leftoverMessage: 'Keep what was left',
  };
  const publisher = createPublisher({
    ...{ publishing, gate },
    token: async () => testToken,
    stop: async () => undefined,
    base: {
      repository,
      tip: async () =>
        shellGit(project.bare, 'for-each-ref', '--format=%(objectname)', 'refs/heads/main') || null,
    },
    log: createLog(() => undefined),
  });
  return { directory, publisher, patchFile };
}

/** The branches on the server with the files of each. */
function branches({ bare }: Project): Record<string, string> {
  const names = shellGit(bare, 'for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads/').split('\n');
  return Object.fromEntries(
    names.map((name) => [name, shellGit(bare, 'ls-tree', '--name-only', name).split('\n').join(' ')]),
  );
}

/** Somebody else's branch, with a commit of theirs or where `at` is. */
function theirs({ source, bare }: Project, name: string, at?: string): void {
  shellGit(source, 'checkout', '-q', '-B', 'theirs', at ?? 'main');
  if (!at) commit(source, { 'theirs.txt': 'x' });
  shellGit(source, 'push', '-q', bare, `theirs:refs/heads/${name}`);
  shellGit(source, 'checkout', '-q', 'main');
}

describe('a new branch is made by the run, or it has another name:', () => {
  test.each<[string, (project: Project) => void, string]>([
    ['nobody has it', () => undefined, 'claude/new'],
    ['somebody has it with commits of theirs', (project) => theirs(project, 'claude/new'), 'claude/new-2'],
    [
      'somebody has it, still without commits',
      (project) => theirs(project, 'claude/new', 'main'),
      'claude/new-2',
    ],
    ['somebody has it behind the base', (project) => theirs(project, 'claude/new', 'main~1'), 'claude/new-2'],
    ['there is a branch with the name of the folder', (project) => theirs(project, 'claude'), 'claude-new'],
    [
      'there are branches in a folder of that name',
      (project) => theirs(project, 'claude/new/theirs'),
      'claude/new-2',
    ],
  ])('%s', async (_, before, expected) => {
    const project = makeProject({ 'a.txt': '1' });
    commit(project.source, { 'b.txt': '2' });
    shellGit(project.source, 'push', '-q', 'origin', 'main');
    before(project);
    const others = branches(project);
    const { directory, publisher } = await begin(project, 'run');
    commit(directory, { 'ours.txt': '1' });
    expect(await publisher.push()).toContain(`Published 1 commit to \`${expected}\` of ${repository}`);
    write(directory, 'left.txt', 'uncommitted');
    const ended = await publisher.finish();

    expect(ended).toMatchObject({ error: null, branch: { name: expected, commits: 2 } });
    expect(ended.notes).toEqual(expected === 'claude/new' ? [] : [elsewhere(expected, 'claude/new')]);
    expect(branches(project)).toEqual({ ...others, [expected]: 'a.txt b.txt left.txt ours.txt' });
  });
});

describe('two runs at once', () => {
  test('on an issue make a branch each', async () => {
    const project = makeProject({ 'a.txt': '1' });
    const [one, two] = await Promise.all([begin(project, 'one'), begin(project, 'two')]);
    commit(one.directory, { 'one.txt': '1' });
    commit(two.directory, { 'two.txt': '2' });
    const ended = await Promise.all([one.publisher.finish(), two.publisher.finish()]);

    expect(ended.map(({ error }) => error)).toEqual([null, null]);
    const names = ended.map(({ branch }) => branch!.name);
    expect([...names].sort()).toEqual(['claude/new', 'claude/new-2']);
    expect(branches(project)).toEqual({
      main: 'a.txt',
      [names[0]!]: 'a.txt one.txt',
      [names[1]!]: 'a.txt two.txt',
    });
  });

  test('on a pull request: the second one’s work goes beside it, and neither undoes the other', async () => {
    const project = makeProject({ 'a.txt': '1' });
    theirs(project, 'feature');
    const targets = [{ repository, branch: 'feature' }, ...fresh];
    const one = await begin(project, 'one', { ref: 'feature', targets });
    const two = await begin(project, 'two', { ref: 'feature', targets });
    commit(one.directory, { 'one.txt': '1' });
    commit(two.directory, { 'two.txt': '2' });
    await one.publisher.push();
    expect(await two.publisher.push()).toContain('(`feature` of owner/repo could not be used)');
    commit(one.directory, { 'more.txt': '1' });
    write(two.directory, 'left.txt', '2');
    const ended = await Promise.all([one.publisher.finish(), two.publisher.finish()]);

    expect(ended.map(({ notes }) => notes)).toEqual([[], [elsewhere('claude/new', 'feature')]]);
    expect(branches(project)).toEqual({
      main: 'a.txt',
      feature: 'a.txt more.txt one.txt theirs.txt',
      'claude/new': 'a.txt left.txt theirs.txt two.txt',
    });
  });
});

describe('a base that has gone on is told at the end:', () => {
  test.each<[string, Record<string, string> | null, string[]]>([
    ['not when it has not', null, []],
    [
      'with what a trial merge says',
      { 'b.txt': '2' },
      ['`main` has 1 newer commit; a trial merge with it is clean.'],
    ],
    [
      'with what conflicts, and nothing is merged',
      { 'a.txt': 'theirs', 'b.txt': '2' },
      [
        '`main` has 1 newer commit, and a trial merge conflicts in `a.txt`. Nothing was merged: merge `main` into `claude/new`, or ask for it.',
      ],
    ],
  ])('%s', async (_, files, notes) => {
    const project = makeProject({ 'a.txt': '1' });
    const { directory, publisher } = await begin(project, 'run', { args: ['--depth=1'] });
    if (files) commit(project.source, files);
    shellGit(project.source, 'push', '-q', 'origin', 'main');
    commit(directory, { 'a.txt': 'ours' });
    expect(await publisher.finish()).toMatchObject({ error: null, notes });
    expect(shellGit(project.bare, 'log', '--format=%s', 'main..claude/new')).toBe('Change');
  });

  test('not when that cannot be known', async () => {
    const project = makeProject({ 'a.txt': '1' });
    const { directory, publisher } = await begin(project, 'run');
    shellGit(project.bare, 'update-ref', '-d', 'refs/heads/main');
    commit(directory, { 'a.txt': 'ours' });
    expect(await publisher.finish()).toMatchObject({
      error: null,
      notes: [],
      branch: { name: 'claude/new' },
    });
  });
});

test('when every name is taken, they are named with what to do, and the work is kept', async () => {
  const project = makeProject({ 'a.txt': '1' });
  for (const { branch } of fresh) theirs(project, branch);
  const others = branches(project);
  const { directory, publisher, patchFile } = await begin(project, 'run');
  commit(directory, { 'ours.txt': 'precious' });
  const { branch, error, notes } = await publisher.finish();

  expect(branch).toBeNull();
  expect(error).toMatchObject({
    reason: 'git_failed',
    message: expect.stringContaining('`claude/new` of owner/repo, `claude/new-2` of owner/repo'),
    remedy: expect.stringContaining('`branch_prefix`'),
  });
  expect(notes).toEqual([expect.stringContaining(`\`${patchFile}\``)]);
  expect(readFileSync(patchFile, 'utf8')).toContain('+precious');
  expect(branches(project)).toEqual(others);
});
