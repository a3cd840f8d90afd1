import { describe, expect, test } from 'vitest';
import { bash, edit, mcp, read } from '../../testkit/claude/tools.ts';
import { setStage } from './stage.ts';

describe.each([
  ['in the shape of github.com', false],
  ['on an Enterprise Server', true],
])('%s', (_, ghes) => {
  test('a mention on an issue becomes a branch with a commit, told in one comment', async () => {
    await using stage = await setStage([], { ghes });
    stage.model.script([
      {
        text: 'I will look.',
        tools: [mcp('github_comment', 'update_claude_comment', { body: '- [ ] Fix the greeting' })],
      },
      () => ({ tools: [read(stage.path('src/greet.js'))] }),
      () => ({ tools: [edit(stage.path('src/greet.js'), 'Helo', 'Hello')] }),
      { tools: [bash('git add -A && git commit -m "Spell the greeting right"')] },
      { tools: [mcp('github_file_ops', 'push_changes')] },
      { tools: [mcp('github_comment', 'update_claude_comment', { body: '- [x] Fix the greeting' })] },
      { text: 'Fixed.' },
    ]);
    const run = await stage.mention('@claude please fix the typo');
    const host = new URL(stage.github.serverUrl).hostname;

    expect(run.main.exitCode, run.log).toBe(0);
    expect(run.outputs).toMatchObject({ conclusion: 'success', reason: '', num_turns: '7' });
    const branch = run.outputs.branch_name!;
    expect(branch).toMatch(/^claude\/issue-1-\d{8}-\d{4}$/);
    expect(await stage.repository.file(branch, 'src/greet.js')).toContain('Hello');
    const [commit] = await stage.repository.log(`main..${branch}`);
    expect(commit).toMatchObject({
      author: { name: 'github-actions[bot]', email: `41898282+github-actions[bot]@users.noreply.${host}` },
    });

    const issue = stage.repository.issue(1);
    const [asked, answer] = issue.comments;
    expect(issue.comments).toHaveLength(2);
    expect(
      answer!.history.map(({ body }) => body.split('\n')[0]!.replace(/ · \d+s so far| · \d+s/, '')),
    ).toEqual([
      "⏳ **Claude is working on @octocat's request**",
      "⏳ **Claude is working on @octocat's request**",
      "⏳ **Claude is working on @octocat's request**",
      expect.stringMatching(/^✅ \*\*Claude finished @octocat's task\*\* · 7 turns · [\d.]+k tokens · \$\d/),
    ]);
    expect(answer!.body).toContain('- [x] Fix the greeting');
    expect(answer!.body).toContain(
      `[\`${branch}\`](${stage.github.serverUrl}/octo-org/hello/tree/${branch})`,
    );
    expect(answer!.body).toContain('[Create pull request ➔]');
    expect(stage.github.reactions(asked!)).toEqual([{ content: '+1', login: 'github-actions[bot]' }]);

    // Besides the looks at the thread: one at the start, and more as long as Claude works.
    const isLook = /^\/api\/v3\/repos\/octo-org\/hello\/issues\/1\/comments\?/;
    const looks = stage.github.requests.filter(({ path }) => isLook.test(path));
    const others = stage.github.requests.filter(({ kind, path }) => kind !== 'kit' && !isLook.test(path));
    expect(looks.length).toBeGreaterThan(0);
    expect(others.length).toBeLessThanOrEqual(12);
    expect(stage.github.violations).toEqual([]);
    expect(run.leftovers).toEqual([]);
    expect(run.summary).toContain('Forgehand: success');

    // Every address that anybody is shown is this server's.
    expect(stage.model.firstText()).toContain(`+octocat@users.noreply.${host}>`);
    for (const text of [answer!.body, run.summary, ...Object.values(run.outputs)])
      for (const [address] of text.matchAll(/https?:\/\/[^\s)]+/g))
        expect(address.startsWith(`${stage.github.serverUrl}/octo-org/hello/`), address).toBe(true);
  });
});
