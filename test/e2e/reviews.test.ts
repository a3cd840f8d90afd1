/** Calls in reviews: answered where they were made, with the lines that they are about. */
import { expect, test } from 'vitest';
import { expectSuccess, expectTidy } from './expectations.ts';
import { callOn, openPull } from './pulls.ts';
import { setStage } from './stage.ts';

test('a call on a line is answered in its thread, and Claude sees path, line and hunk', async () => {
  await using stage = await setStage();
  const pull = await openPull(stage);
  const called = await stage.github.reviewComment(pull, {
    author: 'octocat',
    body: '@claude is this spelt right?',
    path: 'src/greet.de.js',
    line: 1,
  });
  const run = await stage.run({ event: await stage.github.event.pullRequestReviewComment(called) });

  expectSuccess(run);
  const [asked, answer] = pull.threads[0]!.comments;
  expect(asked).toBe(called);
  expect(answer!.body).toContain("✅ **Claude finished @octocat's task**");
  expect(pull.comments).toEqual([]);
  expect(stage.github.reactions(called)).toEqual([{ content: '+1', login: 'github-actions[bot]' }]);
  const prompt = stage.model.firstText();
  expect(prompt).toContain('is this spelt right?');
  expect(prompt).toMatch(/path="src\/greet\.de\.js" line=1/);
  expect(prompt).toContain("+export const greet = (name) => 'Halo, ' + name;");
  expectTidy(run, stage);
});

test('a call in a reply goes to the same thread, whose earlier words are material', async () => {
  await using stage = await setStage();
  const pull = await openPull(stage);
  const first = await stage.github.reviewComment(pull, {
    author: 'monalisa',
    body: 'This word looks wrong to me.',
    path: 'src/greet.de.js',
    line: 1,
    createdAt: new Date(Date.now() - 60_000),
  });
  const reply = stage.github.reply(first, { author: 'octocat', body: '@claude she is right, correct it' });
  const run = await stage.run({ event: await stage.github.event.pullRequestReviewComment(reply) });

  expectSuccess(run);
  expect(pull.threads[0]!.comments).toHaveLength(3);
  expect(stage.model.firstText()).toContain('This word looks wrong to me.');
});

test('a review that calls brings its comments on lines along', async () => {
  await using stage = await setStage();
  const pull = await openPull(stage);
  const review = await stage.github.review(pull, {
    author: 'octocat',
    body: '@claude settle these, please',
    state: 'CHANGES_REQUESTED',
    comments: [{ path: 'src/greet.de.js', line: 1, body: 'One letter is missing here.' }],
  });
  const run = await stage.run({ event: await stage.github.event.pullRequestReview(review) });

  expectSuccess(run);
  const prompt = stage.model.firstText();
  expect(prompt).toContain('settle these, please');
  expect(prompt).toContain('One letter is missing here.');
  expect(prompt).toContain('+export const greet');
  expect(pull.comments).toHaveLength(1);
  expect(pull.threads[0]!.comments).toHaveLength(1);
});

test('a label on a pull request asks for a review of it', async () => {
  await using stage = await setStage();
  const pull = await openPull(stage);
  stage.github.addLabel(pull, 'Claude', { by: 'octocat' });
  const event = await stage.github.event.pullRequest(pull, 'labeled', { label: 'Claude' });
  const run = await stage.run({ event });

  expectSuccess(run);
  expect(stage.model.firstText()).toContain('Review this pull request.');
  expect(pull.comments).toHaveLength(1);
});

test('the sticky comment is used again by the same workflow and job, and by no other', async () => {
  await using stage = await setStage();
  const pull = await openPull(stage);
  const sticky = { inputs: { use_sticky_comment: 'true' } };
  const copied = `Mine: <!-- forgehand {"workflow":"Claude","job":"claude","run":"1","attempt":"1"} -->`;
  const stranger = stage.github.comment(pull, { author: 'monalisa', body: copied });
  const answers = () => pull.comments.filter(({ author }) => author?.login === 'github-actions[bot]');

  const first = await callOn(stage, pull, { ...sticky, text: '@claude first' });
  expectSuccess(first);
  expect(answers()).toHaveLength(1);
  expectSuccess(await callOn(stage, pull, { ...sticky, text: '@claude second' }));
  expect(answers()).toHaveLength(1);
  expect(answers()[0]!.body).toContain('/actions/runs/1002');

  expectSuccess(await callOn(stage, pull, { ...sticky, text: '@claude third', workflow: 'Other' }));
  expectSuccess(await callOn(stage, pull, { ...sticky, text: '@claude fourth', job: 'other' }));
  expect(answers()).toHaveLength(3);
  expect(answers()[0]!.body).toContain('/actions/runs/1002');
  expect(stranger.body).toBe(copied);
});
