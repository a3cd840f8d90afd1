import { afterAll, beforeEach, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import { createClient, type GitHubClient } from './client.ts';
import { type CommentPlace, createComment, fetchComment, findComment, updateComment } from './comments.ts';
import { defaultPolicy } from './retry.ts';

const github: LocalGitHub = await startGitHub();
await github.createRepository({ owner: 'octo-org', name: 'hello' });
await github.createRepository({ owner: 'octo-org', name: 'other' });
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
});

const marker = '<!-- mark of this run -->';
const text = { body: `Hello.\n\n${marker}`, marker };
const policy = { ...defaultPolicy, attempts: 2, firstDelayMs: 1 };
const host = { apiUrl: github.apiUrl, graphqlUrl: github.graphqlUrl, serverUrl: github.serverUrl };
const clientWith = (permissions?: Record<string, 'read' | 'write'>): GitHubClient => {
  const token = github.token({ kind: 'actions', repositories: ['octo-org/hello'], permissions });
  return createClient(host, async () => token, policy);
};
const client = clientWith();
beforeEach(() => github.faults.clear());

/** A fresh discussion with a comment and a reply to it, and the places where each is answered. */
function talk(repository = 'octo-org/hello') {
  const discussion = github.createDiscussion(repository, { title: 'Ideas', author: 'mona' });
  const comment = github.discuss(discussion, { body: 'How?', author: 'mona' });
  const reply = github.discuss(discussion, { body: 'And why?', author: 'mona', replyTo: comment });
  const [owner, repo] = repository.split('/') as [string, string];
  const at = (replyTo: NonNullable<CommentPlace['discussion']>['replyTo']): CommentPlace => ({
    ...{ owner, repo, number: discussion.number, replyTo: null },
    discussion: { id: discussion.nodeId, replyTo },
  });
  return {
    ...{ discussion, comment, reply },
    conversation: at(null),
    thread: at({ id: comment.nodeId, isReply: false }),
    threadOfReply: at({ id: reply.nodeId, isReply: true }),
    said: () => discussion.comments.slice(2).map(({ body, replyTo }) => [body, replyTo]),
  };
}

test('a comment on a discussion is created, read, and changed', async () => {
  const { discussion, conversation, said } = talk();
  const made = await createComment(client, conversation, text);
  expect(made).toMatchObject({
    kind: 'discussion_comment',
    id: discussion.comments[2]!.id,
    url: expect.stringMatching(/\/octo-org\/hello\/discussions\/\d+#discussioncomment-\d+$/),
  });
  await updateComment(client, conversation, made, 'Bye.');
  expect(said()).toEqual([['Bye.', null]]);
  const author = { login: 'github-actions[bot]', type: 'Bot' };
  expect(await fetchComment(client, conversation, made)).toEqual({ ...made, body: 'Bye.', author });
});

test.each(['thread', 'threadOfReply'] as const)(
  'in the %s it goes below the top-level comment',
  async (place) => {
    const { [place]: there, comment, said } = talk();
    await createComment(client, there, text);
    expect(said()).toEqual([[text.body, comment]]);
  },
);

test('when that comment is gone, the discussion gets the answer', async () => {
  const { comment, thread, said } = talk();
  github.deleteComment(comment);
  await createComment(client, thread, text);
  expect(said()).toEqual([[text.body, null]]);
});

test.each(['conversation', 'threadOfReply'] as const)(
  'a comment in the %s whose answer was lost is found instead of doubled',
  async (place) => {
    const { [place]: there, discussion } = talk();
    github.faults.add({ operation: 'answer', after: true, times: 1, reset: true });
    const made = await createComment(client, there, text);
    expect(discussion.comments).toHaveLength(3);
    expect(made.id).toBe(discussion.comments[2]!.id);
  },
);

test('the latest with the marker is found, by its author only', async () => {
  const { discussion, conversation } = talk();
  const by = (author: string, body: string) => github.discuss(discussion, { author, body });
  by('github-actions[bot]', `first ${marker}`);
  const ours = by('github-actions[bot]', `latest ${marker}`);
  by('mallory', `copied ${marker}`);
  const login = 'github-actions[bot]';
  expect(await findComment(client, conversation, { marker, login })).toMatchObject({ id: ours.id });
  expect(await findComment(client, conversation, { marker: 'nowhere', login: null })).toBeNull();
});

test('what is said to be a comment there is not believed', async () => {
  const { conversation } = talk();
  const elsewhere = talk();
  const foreign = talk('octo-org/other');
  const ref = (of: typeof elsewhere) => ({
    ...{ kind: 'discussion_comment' as const, id: 1, url: '' },
    nodeId: of.comment.nodeId,
  });
  await expect(fetchComment(client, conversation, ref(elsewhere))).rejects.toThrow('not a comment on that');
  // Forged: another repository's discussion under this one's name.
  const forged = { ...conversation, discussion: foreign.conversation.discussion! };
  await expect(fetchComment(client, forged, ref(foreign))).rejects.toThrow('not a comment on that');
  expect(await findComment(client, forged, { marker: 'How', login: null })).toBeNull();
});

test('a token that may not write there is told which permission it lacks', async () => {
  const { conversation } = talk();
  const poor = clientWith({ contents: 'write', issues: 'write', pull_requests: 'write' });
  await expect(createComment(poor, conversation, text)).rejects.toMatchObject({
    reason: 'github_auth',
    message: expect.stringContaining('add `discussions: write` to the `permissions:` of the job'),
  });
});
