/** What is said on a thread while Claude works: judged like an event of its own, told once, acknowledged when it is taken in. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../../testkit/github/main.ts';
import type { PullRequest } from '../../../testkit/github/model.ts';
import type { RepositoryView } from '../../../testkit/github/repository-view.ts';
import type { FurtherWords } from '../../claude/session.ts';
import { createClient } from '../../github/client.ts';
import { ThreadFeed } from '../../github/thread-feed.ts';
import type { TrackingComment } from '../../report/comment.ts';
import { readConfig } from '../../words/config.ts';
import type { Result } from '../../words/result.ts';
import type { Task } from '../../words/task.ts';
import type { Connection } from '../connect.ts';
import type { Door } from '../door.ts';
import { FollowUps } from './follow-ups.ts';

let github: LocalGitHub;
let repository: RepositoryView;
let connection: Connection;
beforeAll(async () => {
  github = await startGitHub();
  repository = await github.createRepository({ owner: 'octo-org', name: 'hello', files: { 'a.js': '1\n' } });
  for (const login of ['octocat', 'monalisa']) repository.setPermission(login, 'write');
  const token = github.token({ kind: 'actions', repositories: ['octo-org/hello'] });
  const client = createClient(github, async () => token);
  connection = { client, credential: { kind: 'given' } } as Connection;
});
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
});

const { config } = readConfig((name) => (name === 'allowed_non_write_users' ? 'hubot, guest' : undefined));

/** A pull request on which this actor has asked for something, and what Claude is told when all of it is known. */
async function working(actor = 'octocat') {
  const branch = `work-${Math.random().toString(36).slice(2)}`;
  await repository.addCommit({ branch, message: 'Two', files: { 'a.js': '1\n2\n' } });
  const pull = await github.createPullRequest(repository, { title: 'Two', head: branch, author: 'octocat' });
  const taken: string[] = [];
  const task: Task = {
    ...{ key: `octo-org/hello#${pull.number}`, repository: { owner: 'octo-org', name: 'hello' } },
    subject: {
      ...{ kind: 'pull_request', number: pull.number, title: 'Two', body: '', author: { login: 'octocat' } },
      ...{ state: 'open', labels: [], htmlUrl: '' },
    },
    ...{ actor: { login: actor }, trigger: { kind: 'label', label: 'claude' }, mode: 'tag' },
    ...{ instruction: '', triggeredAt: new Date(Date.now() - 60_000).toISOString() },
  };
  const comment = {
    learn: ({ taken: now }) => void taken.splice(0, 99, ...(now ?? []).map(({ id }) => id)),
    show: async () => {},
  } as Partial<TrackingComment> as TrackingComment;
  const door = { config, log: { info: () => {} }, warn: () => {} } as unknown as Door;
  const since = task.triggeredAt!;
  const feed = new ThreadFeed(connection.client, {
    ...{ repository: task.repository, number: pull.number, kind: 'pull_request', since },
  });
  const followUps = new FollowUps({ door, task, connection, comment, feed });
  /** Until Claude has heard these words, which are the last that were said. */
  const hears = async (last: string, takes = true) => {
    const told: string[] = [];
    const heard = Promise.withResolvers<void>();
    const send = async ({ text }: FurtherWords) => {
      told.push(text);
      if (text.includes(last)) heard.resolve();
      return takes;
    };
    await feed.poll();
    await followUps.during({ send, after: since }, () => heard.promise);
    return told;
  };
  return { pull, followUps, taken, hears };
}

const say = (pull: PullRequest, body: string, author = 'monalisa') => github.comment(pull, { author, body });
const reactions = (item: Parameters<typeof github.reactions>[0]) =>
  github.reactions(item).map(({ content }) => content);

test('who may call Claude is heard, and nobody else', async () => {
  const { pull, hears } = await working('guest');
  say(pull, '@claude as a stranger', 'mallory');
  say(pull, 'Only talk.');
  say(pull, '@claude as one that a list lets in', 'hubot');
  say(pull, '@claude as the one who asked, whom a list lets in', 'guest');
  const edited = say(pull, '@claude before the edit');
  github.editComment(edited, '@claude after the edit', { by: 'octocat' });
  const answered = say(pull, '@claude what another run has done');
  github.react(answered, 'rocket', 'github-actions[bot]');
  const liked = say(pull, '@claude what somebody likes');
  github.react(liked, '+1', 'octocat');
  expect(await hears('what somebody likes')).toEqual([
    expect.stringContaining('@claude as the one who asked'),
    expect.stringContaining('@claude what somebody likes'),
  ]);
});

test('a review brings what it says of lines along, each with its place', async () => {
  const { pull, hears } = await working();
  await github.review(pull, {
    ...{ author: 'monalisa', state: 'COMMENTED', body: '@claude please see below' },
    comments: [{ path: 'a.js', line: 2, body: 'Why two?' }],
  });
  const [told] = await hears('please see below');
  expect(told).toMatch(/^@monalisa wrote a review on octo-org\/hello#\d+:\n\n@claude please see below\n\n/);
  expect(told).toMatch(/wrote a review comment on `a\.js`, line 2 on octo-org\/hello#\d+:\n\nWhy two\?$/);
});

test('what is taken in is acknowledged and ends as the run does', async () => {
  const { pull, followUps, taken, hears } = await working();
  const more = say(pull, '@claude and the docs');
  github.react(more, 'eyes', 'github-actions[bot]');
  await hears('and the docs');
  expect(reactions(more)).toEqual(['rocket']);
  expect(taken).toEqual([more.nodeId]);
  await followUps.finished({ conclusion: 'failure' } as Result);
  expect(reactions(more)).toEqual(['confused']);
});

test('what came too late is acknowledged by nobody', async () => {
  const { pull, followUps, taken, hears } = await working();
  const more = say(pull, '@claude too late');
  await hears('too late', false);
  await followUps.finished({ conclusion: 'success' } as Result);
  expect(taken).toEqual([]);
  expect(reactions(more)).toEqual([]);
});
