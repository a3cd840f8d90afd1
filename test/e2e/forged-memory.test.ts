/** Without a fence, what main remembers for post lies where Claude's processes could write: here they do, and post believes none of it. */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Memory } from '../../src/engine/door.ts';
import { bash, write } from '../../testkit/claude/tools.ts';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import { parsePairs } from '../../testkit/runner/command-files.ts';
import { answer, newBranches, silence } from './endings.ts';
import { type Stage, setStage } from './stage.ts';

/** A run with uncommitted work whose memory is changed by `forge`; then main is killed, so that post has to act on it. */
async function forgedRun(
  stage: Stage,
  forge: (memory: Memory, home: string) => Partial<Memory> | Promise<Partial<Memory>>,
  inputs: Record<string, string> = {},
): Promise<ActionRun> {
  const forged = Promise.withResolvers<void>();
  stage.model.script([
    () => ({ tools: [write(stage.path('notes.md'), 'Written down.\n'), bash('echo $HOME')] }),
    async (request) => {
      const home = request
        .toolResults()
        .find(({ tool }) => tool === 'Bash')!
        .text.trim();
      const file = join(home, '..', 'work', '_temp', '_runner_file_commands', 'state_main');
      const known = Object.entries(parsePairs(await readFile(file, 'utf8')));
      const memory = Object.fromEntries(known.map(([name, value]) => [name, JSON.parse(value)]));
      for (const [name, value] of Object.entries(await forge(memory as unknown as Memory, home)))
        await appendFile(file, `${name}=${JSON.stringify(value)}\n`);
      forged.resolve();
      return silence;
    },
  ]);
  const run = await stage.mention('@claude write it down', {
    keep: true,
    killMain: forged.promise,
    inputs: { claude_args: '--allowedTools "Bash(echo:*)"', sandbox: 'off', ...inputs },
  });
  expect(run.main.signal, run.log).toBe('SIGKILL');
  expect(run.post?.exitCode).toBe(0);
  return run;
}

describe.concurrent('when the memory of main is forged, post', () => {
  test('does not touch a comment of somebody else', async () => {
    await using stage = await setStage();
    const run = await forgedRun(stage, ({ comment }) => {
      const asked = stage.repository.issue(1).comments[0]!;
      return { comment: { ...comment, ref: { ...comment.ref!, id: asked.id } } };
    });
    expect(stage.repository.issue(1).comments[0]!.body).toBe('@claude write it down');
    expect(run.log).toMatch(/could not be finished: the remembered comment is not this run's own/);
  });

  test('does not touch our own comment of another run', async () => {
    await using stage = await setStage();
    const bodyOfOther =
      'Done. <!-- forgehand {"workflow":"Claude","job":"claude","run":"7","attempt":"1"} -->';
    const run = await forgedRun(stage, ({ comment }) => {
      const issue = stage.repository.issue(1);
      const other = stage.github.comment(issue, { author: 'github-actions[bot]', body: bodyOfOther });
      return { comment: { ...comment, ref: { ...comment.ref!, id: other.id } } };
    });
    expect(stage.repository.issue(1).comments.at(-1)!.body).toBe(bodyOfOther);
    expect(run.log).toMatch(/the remembered comment is not this run's own/);
  });

  test('publishes nothing to the default branch, and writes the patch where it always is', async () => {
    await using stage = await setStage();
    const before = stage.repository.tip('main');
    const run = await forgedRun(stage, ({ publishing }, home) => {
      const target = { repository: 'octo-org/hello', branch: 'main' };
      const gate = { ...publishing.gate, targets: [target], neverTo: [] };
      return { publishing: { ...publishing, gate, patchFile: join(home, '.profile') } };
    });
    expect(stage.repository.tip('main')).toBe(before);
    expect(newBranches(stage)).toEqual([]);
    expect(answer(stage)).toMatch(/could not be published: .*`main` is not a branch of this task/);
    expect(answer(stage)).toContain('forgehand-1001-1.patch');
    expect(existsSync(join(run.directory, 'home/.profile'))).toBe(false);
  });

  test('publishes nothing to another branch of this repository', async () => {
    await using stage = await setStage();
    await stage.repository.addCommit({ branch: 'production', message: 'Live', files: { 'a.txt': 'a\n' } });
    const before = stage.repository.branches();
    await forgedRun(stage, ({ publishing }) => {
      const target = { repository: 'octo-org/hello', branch: 'production' };
      return { publishing: { ...publishing, gate: { ...publishing.gate, targets: [target], neverTo: [] } } };
    });
    expect(stage.repository.branches()).toEqual(before);
    expect(answer(stage)).toMatch(/`octo-org\/hello production` is not a branch of this task/);
  });

  test('publishes nothing to another repository', async () => {
    await using stage = await setStage();
    const other = await stage.github.createRepository({
      owner: 'octo-org',
      name: 'other',
      files: { a: 'a\n' },
    });
    const repositories = ['octo-org/hello', 'octo-org/other'];
    const token = stage.github.token({ login: 'claude[bot]', repositories });
    await forgedRun(
      stage,
      ({ publishing }) => {
        const target = { repository: 'octo-org/other', branch: 'claude/issue-1-20260101-0000' };
        return {
          publishing: { ...publishing, gate: { ...publishing.gate, targets: [target], neverTo: [] } },
        };
      },
      { github_token: token },
    );
    expect(Object.keys(other.branches())).toEqual(['main']);
    expect(newBranches(stage)).toEqual([]);
    expect(answer(stage)).toMatch(
      /`octo-org\/other claude\/issue-1-20260101-0000` is not a branch of this task/,
    );
  });

  test('removes no directory that main did not make', async () => {
    await using stage = await setStage();
    const run = await forgedRun(stage, async ({ run: { mark } }, home) => {
      await mkdir(join(home, 'precious'));
      return { run: { mark, scratch: join(home, 'precious') } };
    });
    expect(existsSync(join(run.directory, 'home/precious'))).toBe(true);
    expect(run.log).toMatch(/scratch directory could not be removed: .*precious` is not this run's own/);
    expect(answer(stage)).toMatch(/^❌/);
  });

  test('goes through all of its steps whatever is in there', async () => {
    await using stage = await setStage();
    const run = await forgedRun(stage, () => {
      const nonsense = 5 as never;
      return {
        tokens: nonsense,
        comment: nonsense,
        publishing: nonsense,
        reaction: nonsense,
        checkout: nonsense,
      };
    });
    expect(
      run.annotations.filter(({ source, level }) => source === 'post' && level === 'error'),
    ).toHaveLength(1);
    expect(run.summary).toMatch(/its process was killed/);
    expect(run.leftovers).toEqual([]);
    expect(await readdir(join(run.directory, 'work/_temp'))).not.toContainEqual(
      expect.stringMatching(/^forgehand-\w{8}-/),
    );
  });

  test('asks GitHub for nothing but the reaction', async () => {
    await using stage = await setStage();
    const run = await forgedRun(stage, ({ reaction }) => {
      const id = stage.repository.issue(1).nodeId;
      const more = `EYES }) { clientMutationId } more: closeIssue(input: { issueId: "${id}" }) { clientMutationId } #`;
      return { reaction: { ...reaction, shown: [more as 'EYES'] } };
    });
    expect(stage.repository.issue(1).state).toBe('open');
    expect(run.log).toMatch(/The reaction could not be changed/);
  });
});
