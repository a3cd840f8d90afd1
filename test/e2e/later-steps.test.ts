/** The steps of the job that follow find Git as they left it, and Claude's commits and files. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { bash, write } from '../../testkit/claude/tools.ts';
import { expectTidy } from './expectations.ts';
import { setStage } from './stage.ts';

const run = promisify(execFile);
const git = async (cwd: string, ...args: string[]) => (await run('git', args, { cwd })).stdout.trim();

/** What an earlier step of the job may have set up. */
async function setUp(at: string): Promise<void> {
  await git(at, 'config', 'user.name', 'Release Bot');
  await git(at, 'config', 'user.email', 'release@example.com');
  await git(at, 'config', 'commit.gpgsign', 'true');
  await git(at, 'config', 'gpg.program', '/bin/false');
  await git(at, 'remote', 'add', 'mirror', 'https://example.com/mirror.git');
  await git(at, 'config', 'extensions.worktreeConfig', 'true');
  await git(at, 'config', '--worktree', 'core.whitespace', 'tab-in-indent');
  await writeFile(join(at, '.git/hooks/pre-push'), '#!/bin/sh\ntouch .git/hook-ran\n');
  await chmod(join(at, '.git/hooks/pre-push'), 0o755);
}

describe.concurrent('a later step of the job', () => {
  test.each(['ends', 'is killed'])(
    'pushes with the credential of actions/checkout after main %s',
    async (end) => {
      await using stage = await setStage();
      stage.model.script([
        () => ({ tools: [write(stage.path('NEW.md'), 'New.\n')] }),
        { tools: [bash('git add -A && git commit -q -m "Add a file"')] },
        () => ({ tools: [write(stage.path('LEFT.md'), 'Left.\n')] }),
        end === 'ends' ? { text: 'Done.' } : { hang: true },
      ]);
      let settings = '';
      const ended = await stage.mention('@claude add a file', {
        checkout: { layout: 'v6' },
        before: async (at) => {
          await setUp(at);
          settings = await git(at, 'config', '--list', '--show-origin');
          stage.givenConfig = '';
        },
        ...(end === 'is killed' && { killMain: stage.model.request(4) }),
      });
      expect(ended.main.signal === 'SIGKILL', ended.log).toBe(end === 'is killed');
      expectTidy(ended, stage);

      const at = stage.workspace;
      expect(await git(at, 'config', '--list', '--show-origin')).toBe(settings);
      expect(await git(at, 'branch', '--show-current')).toMatch(/^claude\/issue-1-/);
      expect(await git(at, 'log', '--format=%s', 'HEAD', '--', 'NEW.md')).toBe('Add a file');
      expect(existsSync(join(at, 'LEFT.md'))).toBe(true);
      await git(at, 'push', '-q', 'origin', 'HEAD:refs/heads/later');
      expect(await stage.repository.file('later', 'NEW.md')).toBe('New.\n');
      expect(existsSync(join(at, '.git/hook-ran'))).toBe(true);
      // And what Claude left was published without any of these settings.
      const [branch] = Object.keys(stage.repository.branches()).filter((name) => name.startsWith('claude/'));
      expect(await stage.repository.file(branch!, 'LEFT.md')).toBe('Left.\n');
    },
  );
});
