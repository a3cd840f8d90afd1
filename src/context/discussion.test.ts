import { afterAll, expect, test } from 'vitest';
import { startGitHub } from '../../testkit/github/main.ts';
import type { Discussion } from '../../testkit/github/model.ts';
import { createClient } from '../github/client.ts';
import { parseEvent } from '../trigger/event.ts';
import type { GitHubEvent } from '../words/event.ts';
import { type DiscussionRequest, readDiscussion } from './discussion.ts';

const github = await startGitHub();
await github.createRepository({ owner: 'octo-org', name: 'hello' });
const token = github.token({ kind: 'actions', repositories: ['octo-org/hello'] });
const { graphql } = createClient(
  { apiUrl: github.apiUrl, graphqlUrl: github.graphqlUrl, serverUrl: github.serverUrl },
  async () => token,
);
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
});

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 10, minute));
const open = () =>
  github.createDiscussion('octo-org/hello', {
    title: 'Ideas',
    body: 'Any?',
    author: 'mona',
    createdAt: at(0),
  });
const say = (discussion: Discussion, body: string, minute: number, more: object = {}) =>
  github.discuss(discussion, { body, author: 'mona', createdAt: at(minute), ...more });

async function eventOf(comment: ReturnType<typeof say>): Promise<GitHubEvent> {
  const event = await github.event.discussionComment(comment);
  return parseEvent({ ...event, deliveryId: null, fallback: {} });
}

const read = ({ discussion, item }: GitHubEvent, more: Partial<DiscussionRequest> = {}) =>
  readDiscussion({
    ...{ graphql, discussion: discussion!, item, triggeredAt: item?.createdAt ?? null },
    ...{ include: [], exclude: [], trackingCommentId: null, ...more },
  });

test('all of it is read, over all pages, each comment followed by its replies', async () => {
  const discussion = open();
  const tops = Array.from({ length: 120 }, (_, index) => say(discussion, `idea ${index}`, 1));
  const reply = say(discussion, 'Why?', 2, { replyTo: tops[0] });
  const event = await eventOf(say(discussion, 'And now?', 3));
  const { title, body, comments, leftOut } = await read(event);
  expect([title, body, leftOut]).toEqual(['Ideas', 'Any?', []]);
  expect(comments).toHaveLength(122);
  expect(comments[1]).toMatchObject({ id: reply.id, body: 'Why?', replyTo: tops[0]!.id });
  expect(comments.at(-1)!.body).toBe('And now?');
});

test('it is as it was when somebody asked, in the words that they used', async () => {
  const discussion = open();
  github.editBody(say(discussion, 'Before.', 1), 'Edited later.', { at: at(9) });
  github.minimize(say(discussion, 'Hidden.', 1));
  say(discussion, 'Spam.', 1, { author: 'mallory' });
  const asked = say(discussion, 'What?', 5);
  const event = await eventOf(asked);
  github.editBody(asked, 'Something else.', { at: at(9) });
  const own = say(discussion, 'Working …', 6, { author: 'github-actions[bot]' });
  say(discussion, 'Later.', 8);
  const { comments, leftOut } = await read(event, { exclude: ['mallory'], trackingCommentId: own.id });
  expect(comments.map(({ body }) => body)).toEqual(['What?']);
  expect(leftOut.map(({ count, what, why }) => `${count} ${what} ${why}`)).toEqual([
    '1 comments edited after the trigger',
    '1 comments minimised',
    '1 comments excluded by author',
    '1 comments written after the trigger',
  ]);
});

test('what called is there although it was deleted since', async () => {
  const discussion = open();
  const asked = say(discussion, 'What?', 5);
  const event = await eventOf(asked);
  github.deleteComment(asked);
  expect((await read(event)).comments.map(({ body }) => body)).toEqual(['What?']);
});
