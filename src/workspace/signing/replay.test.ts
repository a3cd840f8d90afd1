/** Others push to the branch while Claude works: theirs stays, Claude's goes on top of it, or nothing is published. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commit, shellGit, temporary } from '../local-remote.test-support.ts';
import { files, second, setStage, target } from './api-stage.test-support.ts';

type Stage = Awaited<ReturnType<typeof setStage>>;

/** A first commit is published, as the branch of a new task has it. */
async function withFirst(stage: Stage): Promise<string> {
  commit(stage.directory, { 'first.txt': 'first\n' }, 'First');
  return (await stage.publish()).sha;
}

const theirs = ({ repository }: Stage, content: Record<string, string> = { 'x.md': 'theirs\n' }) =>
  repository.addCommit({ branch: target.branch, message: 'Theirs', files: content });

test('Claude’s commits go on top of what others pushed, and neither undoes the other', async () => {
  await using stage = await setStage();
  const { directory, repository, publish } = stage;
  await withFirst(stage);
  const longer = (first: string, last: string) => `${first}\n2\n3\n4\n5\n6\n7\n8\n${last}\n`;
  commit(directory, { 'long.txt': longer('1', '9') });
  await publish();
  const pushed = await theirs(stage, { 'x.md': 'theirs\n', 'long.txt': longer('theirs', '9') });
  commit(directory, { 'long.txt': longer('1', 'ours'), 'ours.txt': 'ours\n' }, 'Ours');
  const published = await publish();

  expect(published).toMatchObject({ outcome: 'pushed', commits: 1, joined: 1, unverified: [] });
  expect((await repository.commit(published.sha))?.parents).toEqual([pushed]);
  expect(await repository.file(target.branch, 'long.txt')).toBe(longer('theirs', 'ours'));
  expect(await repository.files(target.branch)).toEqual(expect.arrayContaining(['x.md', 'ours.txt']));

  // And so does what comes after, without a second look at theirs.
  commit(directory, { 'long.txt': longer('1', 'ours again') }, 'Ours again');
  chmodSync(join(directory, 'run.sh'), 0o755);
  commit(directory, {}, 'Executable');
  expect(await publish()).toMatchObject({ outcome: 'pushed', commits: 2, joined: 0, unverified: [] });
  expect(await repository.file(target.branch, 'long.txt')).toBe(longer('theirs', 'ours again'));
  expect(await repository.file(target.branch, 'x.md')).toBe('theirs\n');
});

test('what both changed is named, nothing is published there, and another name takes all of the work', async () => {
  await using stage = await setStage();
  const { directory, repository, publish, base } = stage;
  await withFirst(stage);
  const pushed = await theirs(stage, { 'a.txt': 'theirs\n' });
  commit(directory, { 'b.txt': 'fine\n' }, 'Fine');
  commit(directory, { 'a.txt': 'ours\n' }, 'In conflict');

  expect(await publish()).toMatchObject({ outcome: 'moved', conflicts: ['a.txt'] });
  expect(repository.tip(target.branch)).toBe(pushed);
  const other = await publish({ to: second });
  expect(other).toMatchObject({ outcome: 'pushed', commits: 3 });
  expect(shellGit(repository.directory, 'log', '--format=%s', `${base}..${other.sha}`)).toBe(
    'In conflict\nFine\nFirst',
  );
  expect(await repository.file(second.branch, 'a.txt')).toBe('ours\n');
});

test.each<[string, (stage: Stage) => Promise<string>]>([
  ['a new branch whose name somebody took first', (stage) => theirs(stage)],
  [
    'the same when it has no commits yet',
    async ({ repository, base }) => {
      await repository.setBranch(target.branch, base);
      return base;
    },
  ],
  [
    'a branch that was given another history',
    async (stage) => {
      const first = await withFirst(stage);
      const { directory } = stage.repository;
      const tree = shellGit(directory, 'rev-parse', `${first}^{tree}`);
      const other = shellGit(directory, 'commit-tree', tree, '-m', 'Another beginning');
      await stage.repository.setBranch(target.branch, other);
      return other;
    },
  ],
])('%s is left alone', async (_, take) => {
  await using stage = await setStage();
  const tip = await take(stage);
  commit(stage.directory, { 'ours.txt': 'ours\n' });
  expect(await stage.publish()).toMatchObject({ outcome: 'moved', conflicts: [] });
  expect(stage.repository.tip(target.branch)).toBe(tip);
});

test('the branch of a pull request is joined from the first commit on', async () => {
  await using stage = await setStage();
  const pushed = await theirs(stage);
  commit(stage.directory, { 'ours.txt': 'ours\n' });
  const { sha } = await stage.publish({ to: { ...target, isNew: false } });
  expect((await stage.repository.commit(sha))?.parents).toEqual([pushed]);
});

test('a change that others have made already is not made again', async () => {
  await using stage = await setStage();
  await withFirst(stage);
  const pushed = await theirs(stage, { 'a.txt': 'the same\n' });
  commit(stage.directory, { 'a.txt': 'the same\n' });
  expect(await stage.publish()).toMatchObject({ outcome: 'pushed', sha: pushed, commits: 0 });
  commit(stage.directory, { 'ours.txt': 'ours\n' });
  const { sha } = await stage.publish();
  expect((await stage.repository.commit(sha))?.parents).toEqual([pushed]);
});

test('a file that others have moved does not take a change past the checks of its new path', async () => {
  await using stage = await setStage();
  const { repository, publish, directory } = stage;
  await withFirst(stage);
  const [text = ''] = [files['a.txt'].repeat(20)];
  commit(directory, { 'long.txt': text });
  await publish();
  const place = { branch: target.branch, message: 'Theirs', deletions: ['long.txt'] };
  const pushed = await repository.addCommit({ ...place, files: { '.github/workflows/long.yml': text } });
  commit(directory, { 'long.txt': `${text}ours\n` });
  expect(await publish()).toMatchObject({ outcome: 'moved', conflicts: ['long.txt'] });
  expect(repository.tip(target.branch)).toBe(pushed);
});

test.each([
  ['a file, in the moment before its commit', (_: string) => {}, 'CommitOnBranch'],
  [
    'an executable, in the moment before the branch moves',
    (directory: string) => chmodSync(join(directory, 'run.sh'), 0o755),
    /\/git\/refs\/heads/,
  ],
])('a push that comes between is never overwritten: %s', async (_, change, moment) => {
  await using stage = await setStage();
  const { directory, github, repository, publish } = stage;
  await withFirst(stage);
  change(directory);
  commit(directory, { 'a.txt': 'ours\n' });
  let pushed = '';
  github.onRequest(async ({ request, phase }) => {
    const isIt = typeof moment === 'string' ? request.operation === moment : moment.test(request.path);
    if (phase !== 'before' || !isIt || pushed) return;
    pushed = await theirs(stage);
  });

  const { sha, ...published } = await publish();
  expect(published).toMatchObject({ outcome: 'pushed', commits: 1, joined: 1 });
  expect((await repository.commit(sha))?.parents).toEqual([pushed]);
  expect(await repository.file(target.branch, 'a.txt')).toBe('ours\n');
});

test('where git cannot merge (2.37 and older), the work goes to another name', async () => {
  const bin = temporary();
  const wrapper = `#!/bin/sh\n[ "$1" = merge-tree ] && exit 129\nPATH='${process.env.PATH}' exec git "$@"\n`;
  writeFileSync(join(bin, 'git'), wrapper, { mode: 0o755 });
  await using stage = await setStage({ environment: { PATH: `${bin}:${process.env.PATH}` } });
  await withFirst(stage);
  const pushed = await theirs(stage);
  commit(stage.directory, { 'ours.txt': 'ours\n' });
  expect(await stage.publish()).toMatchObject({ outcome: 'moved', conflicts: [] });
  expect(stage.repository.tip(target.branch)).toBe(pushed);
  expect(await stage.publish({ to: second })).toMatchObject({ outcome: 'pushed', commits: 2 });
});
