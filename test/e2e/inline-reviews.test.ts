/** Reviews with comments on lines: collected while Claude works, posted as one when it ends, and never said twice. */
import { expect, test } from 'vitest';
import { readMarker } from '../../src/report/marker.ts';
import type { Step } from '../../testkit/claude/step.ts';
import { bash, mcp } from '../../testkit/claude/tools.ts';
import type { PullRequest } from '../../testkit/github/model.ts';
import { silence } from './endings.ts';
import { expectSuccess, expectTidy } from './expectations.ts';
import { type Scene, type Stage, setStage } from './stage.ts';

const server = 'github_inline_comment';
const finding = (path: string, line: number, body: string, more: Record<string, unknown> = {}) =>
  mcp(server, 'create_inline_comment', { path, line, body, ...more });
const submit = (body: string, event = 'COMMENT') => mcp(server, 'submit_review', { event, body });
const done: Step = { text: 'Reviewed.' };

const names = ['export const names = [', "  'Ana',", "  'Bo',", '];', ''];
const greet = ['export function greet(name) {', "  return '<b>' + name + '</b>';", '}', ''];

/** octocat proposes a list of names and a greeting. */
async function openNames({ github, repository }: Stage): Promise<PullRequest> {
  const files = { 'src/names.js': names.join('\n'), 'src/page.js': greet.join('\n') };
  await repository.addCommit({ branch: 'names', message: 'Greet by name', files });
  return github.createPullRequest(repository, { title: 'Names', body: '', head: 'names', author: 'octocat' });
}

async function review(stage: Stage, pull: PullRequest, script: Step[], scene: Partial<Scene> = {}) {
  stage.model.script(script);
  const run = await stage.run({
    event: await stage.github.event.pullRequest(pull, 'synchronize'),
    ...scene,
    inputs: { prompt: 'Review this pull request.', track_progress: 'true', ...scene.inputs },
  });
  expectSuccess(run);
  expectTidy(run, stage);
  const last = stage.model.main.at(-1)!;
  return { run, told: last.firstText(), answers: last.toolResults().map(({ text }) => text) };
}

const posts = (stage: Stage, path: RegExp) =>
  stage.github.requests.filter((request) => request.method === 'POST' && path.test(request.path));

test('three reviews of one pull request say each thing once', async () => {
  await using stage = await setStage();
  const { github, repository } = stage;
  const pull = await openNames(stage);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a line of code
  const suggestion = 'Escape it.\n```suggestion\n  return `<b title="&#39;">${escape(name)}</b>`; \n```';

  // The first review finds two things.
  const first = await review(stage, pull, [
    {
      tools: [
        finding('src/page.js', 2, suggestion),
        finding('src/names.js', 3, 'Bo is no name of ours.'),
        finding('src/names.js', 3, 'Only a probe.', { confirmed: false }),
        finding('src/names.js', 40, 'Outside.'),
      ],
    },
    { tools: [submit('Two findings.')] },
    done,
  ]);
  expect(first.answers[3]).toContain('Line 40 of `src/names.js` (side RIGHT) is not part of the diff.');
  expect(first.answers[3]).toContain('The nearest line that takes a comment is 4');
  expect(posts(stage, /\/reviews$/)).toHaveLength(1);
  const [reviewed] = pull.reviews;
  expect(pull.reviews).toHaveLength(1);
  expect(reviewed).toMatchObject({ state: 'COMMENTED', commitId: pull.head.sha });
  expect(reviewed!.body).toMatch(/^Two findings\.\n\n<!-- forgehand /);
  expect(readMarker(reviewed!.body)?.head).toBe(pull.head.sha);
  expect(pull.threads.map(({ path, line }) => `${path}:${line}`)).toEqual([
    'src/page.js:2',
    'src/names.js:3',
  ]);
  const [unescaped, unknown] = pull.threads;
  expect(
    unescaped!.comments[0]!.body.startsWith(`${suggestion}\n\n[Fix this →](https://claude.ai/code?q=`),
  ).toBe(true);
  expect(pull.comments[0]!.body).toContain(
    `[Review](${github.serverUrl}/octo-org/hello/pull/1#pullrequestreview-`,
  );

  // octocat mends one of them, moves the other, and makes a new mistake in the place of the first.
  const reviewedHead = pull.head.sha;
  github.reply(unknown!.comments[0]!, { author: 'octocat', body: 'He starts on Monday.' });
  await repository.addCommit({
    branch: 'names',
    message: 'Escape names',
    files: {
      'src/names.js': ['// Names', '', ...names].join('\n'),
      'src/page.js': greet.with(1, "  return '<b>' + escape(nam) + '</b>';").join('\n'),
    },
  });
  const again = await review(
    stage,
    pull,
    [
      { tools: [bash(`git diff --stat ${reviewedHead}..HEAD`)] },
      {
        tools: [
          mcp(server, 'resolve_review_thread', { thread: 1, body: 'It is escaped now.' }),
          finding('src/page.js', 2, '`nam` is not defined.'),
          finding('src/names.js', 5, 'Somebody here does not belong to us.'),
          finding('src/names.js', 4, 'bo is no name of ours'),
        ],
      },
      { tools: [submit('One finding is new.')] },
      done,
    ],
    { inputs: { claude_args: '--allowedTools "Bash(git diff:*)"' } },
  );
  expect(again.told).toContain(
    `last at ${reviewedHead.slice(0, 10)}. \`git diff ${reviewedHead}..HEAD\` shows`,
  );
  expect(again.told).toContain(
    'are the review threads 1 (open, their lines have changed); 2 (answered by people).',
  );
  const [diff, , , moved, same] = again.answers;
  expect(diff).toContain('2 files changed');
  for (const answer of [moved, same])
    expect(answer).toContain('says this already, or something else in this place: review thread 2.');
  expect(pull.threads.map(({ path, line }) => `${path}:${line}`)).toEqual([
    'src/page.js:2',
    'src/names.js:5',
    'src/page.js:2',
  ]);
  expect(unescaped!.resolvedBy?.login).toBe('github-actions[bot]');
  expect(unescaped!.comments.map(({ body }) => body.split('\n')[0])).toEqual([
    'Escape it.',
    'It is escaped now.',
  ]);
  expect(pull.reviews.filter(({ body }) => readMarker(body)?.head === pull.head.sha)).toHaveLength(1);

  // A person settles the rest; the third review has nothing new, and is not let say the old.
  const before = pull.reviews.length;
  github.resolve(unknown!, 'octocat');
  const third = await review(stage, pull, [
    {
      tools: [
        finding('src/page.js', 2, 'This variable does not exist.'),
        finding('src/names.js', 5, 'Bo is no name of ours.'),
        finding('src/page.js', 1, 'Escape it.\n```suggestion\nx\n```'),
        mcp(server, 'resolve_review_thread', { thread: 2 }),
      ],
    },
    { tools: [submit('Nothing new.')] },
    done,
  ]);
  expect(third.told).toContain('Nothing was pushed since.');
  expect(third.told).toContain('3 (open); 1, 2 (resolved)');
  const [known, settled, , resolved] = third.answers;
  expect(known).toContain('review thread 3');
  expect(settled).toContain('review thread 2');
  expect(resolved).toContain('is resolved already');
  expect(pull.reviews.slice(before).map(({ body }) => body.split('\n')[0])).toEqual(['Nothing new.']);

  // Whoever reads all of it finds nothing twice.
  const said = pull.threads.map(({ path, comments }) => `${path} ${comments[0]!.body.split('\n')[0]}`);
  expect(new Set(said).size).toBe(said.length);
  expect(said).toHaveLength(3);
});

test('when main is killed, post posts what was found, once, and the comment links to it', async () => {
  await using stage = await setStage();
  const pull = await openNames(stage);
  stage.model.script([
    { tools: [finding('src/page.js', 2, 'Escape it.')] },
    { tools: [submit('One finding so far.')] },
    silence,
  ]);
  const run = await stage.run({
    event: await stage.github.event.pullRequest(pull, 'opened'),
    inputs: { prompt: 'Review this pull request.', track_progress: 'true', include_fix_links: 'false' },
    killMain: stage.model.request(3),
  });

  expect(run.main.signal, run.log).toBe('SIGKILL');
  expect(pull.reviews).toHaveLength(1);
  expect(pull.reviews[0]!.body).toMatch(
    /^One finding so far\.\n\n\*The run ended before the review was finished\.\*\n/,
  );
  expect(pull.threads[0]!.comments[0]!.body).toMatch(/^Escape it\.\n\n<!-- forgehand /);
  expect(pull.comments[0]!.body).toMatch(/^❌[\s\S]*\[Review\]\(/);
  expectTidy(run, stage);
});

test('with a prompt alone the tools are there when they are allowed; a verdict as the workflow lets it be', async () => {
  await using stage = await setStage();
  const pull = await openNames(stage);
  const tools = ['create_inline_comment', 'submit_review'].map((name) => `mcp__${server}__${name}`);
  stage.model.script([
    { tools: [finding('./src/page.js', 2, 'Escape it.'), submit('Fine.', 'APPROVE')] },
    { tools: [submit('Please escape it.', 'REQUEST_CHANGES')] },
    done,
  ]);
  const run = await stage.run({
    event: await stage.github.event.pullRequest(pull, 'opened'),
    inputs: {
      prompt: 'Review this pull request.',
      review_events: 'COMMENT, request_changes',
      claude_args: `--allowedTools "${tools.join(',')}"`,
    },
  });

  expectSuccess(run);
  expectTidy(run, stage);
  expect(stage.model.tools()).toEqual(expect.arrayContaining(tools));
  expect(stage.model.tools()).not.toContain(`mcp__${server}__resolve_review_thread`);
  const answers = stage.model.toolResults();
  expect(answers[1]).toMatchObject({ isError: true, text: expect.stringContaining('`review_events`') });
  expect(pull.reviews).toMatchObject([{ state: 'CHANGES_REQUESTED', commitId: pull.head.sha }]);
  expect(pull.threads).toMatchObject([{ path: 'src/page.js', line: 2 }]);
  expect(pull.comments).toEqual([]);
});
