/** Commits that GitHub shows as verified: signed with a key of the repository's owner, or made by GitHub itself. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { isSignedBy, type KeyPair, makeKey } from '../../src/workspace/signing/signing.test-support.ts';
import { bash, mcp, write } from '../../testkit/claude/tools.ts';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import { answer, commit, correction, expectSuccess, newBranches, push, silence } from './endings.ts';
import { callOn, openPull } from './pulls.ts';
import { type Stage, setStage } from './stage.ts';

const bot = { bot_id: '9001', bot_name: 'signer' };
const email = '9001+signer@users.noreply.127.0.0.1';
const anyCommand = { claude_args: '--allowedTools Bash' };
const commitFiles = (files: string[], message = 'Do it\n\nCo-authored-by: octocat') =>
  mcp('github_file_ops', 'commit_files', { files, message });

async function published(stage: Stage, branch: string): Promise<string[]> {
  return (await stage.repository.log(`main..${branch}`)).map(({ sha }) => sha);
}

/** No file that the run has left on the runner holds the key, and no log shows a line of it. */
async function expectNoKey(run: ActionRun, stage: Stage, { key }: KeyPair): Promise<void> {
  const secret = key.split('\n')[2]!;
  for (const place of [run.directory, stage.workspace]) {
    for (const entry of await readdir(place, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      expect((await readFile(file, 'latin1')).includes(secret), file).toBe(false);
    }
  }
  expect(`${run.log}${run.summary}`).not.toContain(secret);
  expect(JSON.stringify(stage.model.main.map(({ body }) => body))).not.toContain(secret);
}

test('with `ssh_signing_key` all that is published is signed, and neither Claude nor a later step sees a trace', async () => {
  await using stage = await setStage();
  const pair = makeKey();
  stage.model.script([
    {
      tools: [
        bash('env; cat .git/config; git config --list; grep -rl "PRIVAT[E] KEY" . "$HOME" || echo no key'),
      ],
    },
    ...correction(stage),
    { tools: [commit] },
    { tools: [push] },
    () => ({ tools: [write(stage.path('left.md'), 'Not committed.\n')] }),
  ]);
  const run = await stage.mention('@claude fix it', {
    keep: true,
    inputs: { ...anyCommand, ...bot, ssh_signing_key: pair.key.trimEnd(), use_commit_signing: 'true' },
  });

  await expectSuccess(stage, run);
  const [branch] = newBranches(stage);
  const commits = await published(stage, branch!);
  expect(commits).toHaveLength(2);
  for (const sha of commits)
    expect(isSignedBy(stage.repository.directory, sha, { ...pair, email })).toBe(true);
  const [seen] = stage.model.toolResults();
  expect(seen!.text).toContain('user.name=signer');
  expect(seen!.text).not.toMatch(/SIGNING_KEY|gpg/i);
  expect(seen!.text).toMatch(/^no key$/m);
  await expectNoKey(run, stage, pair);
  expect(run.summary).toContain('`ssh_signing_key` and `use_commit_signing` are both given');
  // The configuration is as it was, so that a later step commits without a key.
  const later = [
    '-c',
    'user.name=x',
    '-c',
    'user.email=x@example.com',
    'commit',
    '-q',
    '--allow-empty',
    '-m',
  ];
  await promisify(execFile)('git', [...later, 'Later'], { cwd: stage.workspace });
});

test('with `use_commit_signing` GitHub makes what Claude names: modes, links, binaries, deletions; refusals can be repaired', async () => {
  await using stage = await setStage();
  stage.model.script([
    () => ({ tools: [write(stage.path('docs/page.md'), 'A page.\n')] }),
    { tools: [commitFiles(['docs'], 'Add a page')] },
    {
      tools: [
        bash(
          "printf '\\0\\377\\1' > logo.png && printf '#!/bin/sh\\n' > run.sh && chmod +x run.sh && ln -s run.sh start && rm -r docs && mkdir -p .github/workflows && echo 'on: push' > .github/workflows/ci.yml",
        ),
      ],
    },
    { tools: [commitFiles(['logo.png', 'run.sh', 'start', 'docs/page.md', '.github/workflows/ci.yml'])] },
    { tools: [commitFiles(['logo.png', 'run.sh', 'start', 'docs/page.md'])] },
    { tools: [mcp('github_file_ops', 'delete_files', { files: ['CLAUDE.md'], message: 'Delete it' })] },
    { tools: [bash('git status --short; git log --format=%s -3; ls')] },
    () => ({ tools: [write(stage.path('left.md'), 'Not committed.\n')] }),
  ]);
  const run = await stage.mention('@claude do it', {
    inputs: { ...anyCommand, use_commit_signing: 'true' },
  });

  await expectSuccess(stage, run);
  const [first, , refused, second, third, state] = stage.model.toolResults().slice(1);
  for (const result of [first, second, third])
    expect(result).toMatchObject({ isError: false, text: expect.stringContaining('Published 1 commit') });
  expect(refused).toMatchObject({
    isError: true,
    text: expect.stringMatching(/`\.github\/workflows\/ci\.yml`: it is protected by `protected_paths`/),
  });
  expect(state!.text.split('\n')).toEqual([
    '?? .github/',
    'Delete it',
    'Do it',
    'Add a page',
    ...['README.md', 'logo.png', 'run.sh', 'src', 'start'],
  ]);
  const [branch] = newBranches(stage);
  const commits = await published(stage, branch!);
  expect(commits).toHaveLength(4);
  expect(commits.filter((sha) => !stage.repository.verified(sha))).toEqual([]);
  const { stdout } = await promisify(execFile)('git', ['ls-tree', '-r', branch!], {
    cwd: stage.repository.directory,
  });
  expect(stdout.replace(/ blob (\w{7})\w*/g, '').split('\n')).toEqual([
    ...['100644\tREADME.md', '100644\tleft.md', '100644\tlogo.png', '100755\trun.sh'],
    ...['100644\tsrc/greet.js', '120000\tstart', ''],
  ]);
  const pushes = stage.github.requests.filter(({ path }) => path.endsWith('git-receive-pack'));
  expect(pushes).toEqual([]);
  expect(answer(stage)).toContain('`.github/workflows/ci.yml` (it is protected');
});

test('what others push meanwhile stays: Claude’s commit goes on top, and what conflicts to a branch of its own', async () => {
  await using stage = await setStage();
  const theirs = (files: Record<string, string>) =>
    stage.repository.addCommit({ branch: 'feature', message: 'Theirs', files });
  stage.model.script([
    async () => {
      await theirs({ 'theirs.md': 'Theirs.\n' });
      return { tools: [write(stage.path('notes.md'), 'Written down.\n')] };
    },
    { tools: [commitFiles(['notes.md'])] },
    async () => {
      await theirs({ 'notes.md': 'Theirs, too.\n' });
      return { tools: [write(stage.path('more.md'), 'More.\n'), bash('echo Ours. > notes.md')] };
    },
    { tools: [commitFiles(['notes.md'])] },
    { tools: [commitFiles(['more.md'])] },
  ]);
  const run = await callOn(stage, await openPull(stage, 'feature'), {
    inputs: { ...anyCommand, use_commit_signing: 'true' },
  });

  await expectSuccess(stage, run);
  const [, onTop, , , conflict, fine] = stage.model.toolResults();
  expect(onTop!.text).toMatch(/The work on `feature` is on top of 1 newer commit that others have pushed/);
  expect(conflict).toMatchObject({
    isError: true,
    text: expect.stringMatching(/change the same places of `notes\.md`/),
  });
  expect(fine).toMatchObject({ isError: false });
  expect((await stage.repository.log('main..feature')).map(({ message }) => message.split('\n')[0])).toEqual([
    ...['Do it', 'Theirs', 'Do it', 'Theirs', 'Greet in German'],
  ]);
  expect(await stage.repository.file('feature', 'notes.md')).toBe('Theirs, too.\n');
  const [own] = newBranches(stage, ['main', 'feature']);
  expect(await stage.repository.file(own!, 'notes.md')).toBe('Ours.\n');
  expect(answer(stage)).toContain(`The work is on \`${own}\``);
  expect(answer(stage)).toContain('The work on `feature` is on top of 1 newer commit');
});

test.each<[string, (key: string) => Record<string, string>]>([
  ['with the key', (key) => ({ ssh_signing_key: key, ...bot })],
  ['through GitHub’s API', () => ({ use_commit_signing: 'true', sandbox: 'off' })],
])('post finishes a killed main’s work, signed, %s, and leaves no key', async (_, inputs) => {
  await using stage = await setStage();
  const pair = makeKey();
  const given = inputs(pair.key);
  const byKey = 'ssh_signing_key' in given;
  stage.model.script([
    () => ({ tools: [write(stage.path('done.md'), 'Done.\n')] }),
    { tools: byKey ? [commit, push] : [commitFiles(['done.md'])] },
    () => ({ tools: [write(stage.path('half.md'), 'Half done.\n')] }),
    silence,
  ]);
  const run = await stage.mention('@claude do it', {
    ...{ keep: true, killMain: stage.model.request(4) },
    inputs: { ...given, ...(byKey && anyCommand) },
  });

  expect(run.main.signal, run.log).toBe('SIGKILL');
  const [branch] = newBranches(stage);
  const commits = await published(stage, branch!);
  expect(commits).toHaveLength(2);
  const isSigned = (sha: string) =>
    byKey ? isSignedBy(stage.repository.directory, sha, { ...pair, email }) : stage.repository.verified(sha);
  expect(commits.filter((sha) => !isSigned(sha))).toEqual([]);
  expect(await stage.repository.file(branch!, 'half.md')).toBe('Half done.\n');
  await expectNoKey(run, stage, pair);
  expect(await readFile(stage.path('.git/config'), 'utf8')).toBe(stage.givenConfig);
});
