import { expect, test } from 'vitest';
import type { Task } from '../words/task.ts';
import { followUpOf, type Said } from './follow-up.ts';

const config = {
  triggerPhrase: '@claude',
  assigneeTrigger: '',
  labelTrigger: 'claude',
  prompt: '',
  trackProgress: false,
};
const author = { login: 'octocat', type: 'User' };
const asked = '2026-03-01T12:00:00Z';
const subject = {
  ...{ kind: 'pull_request' as const, number: 7, title: 'Sum', body: '', author, state: 'open' as const },
  ...{ labels: [], htmlUrl: 'https://github.com/octo-org/hello/pull/7' },
};
const task: Task = {
  key: 'octo-org/hello#7',
  repository: { owner: 'octo-org', name: 'hello' },
  subject,
  actor: author,
  trigger: {
    kind: 'mention',
    item: { kind: 'issue_comment', id: 10, author, body: '@claude fix it', htmlUrl: '', createdAt: asked },
  },
  mode: 'tag',
  instruction: 'fix it',
  triggeredAt: asked,
};
const later = '2026-03-01T12:00:05Z';
const written = (changes: Record<string, unknown> = {}) => ({
  ...{ id: 11, node_id: 'IC_11', user: { login: 'monalisa', type: 'User' }, html_url: 'https://github.com/' },
  ...{ body: '@claude and the docs', created_at: later },
  ...changes,
});
const comment = (changes = {}): Said => ({ kind: 'issue_comment', raw: written(changes) });

test.each<[string, Said]>([
  ['a comment that mentions Claude', comment()],
  ['one of the same second with a higher id', comment({ created_at: asked })],
  ['a comment on a line', { kind: 'review_comment', raw: written({ path: 'sum.js', line: 3 }) }],
  ['a review', { kind: 'review', raw: written({ submitted_at: later, state: 'COMMENTED' }) }],
])('a follow-up is %s', (_, said) => {
  const followUp = followUpOf(task, said, config, asked);
  expect(followUp?.task).toMatchObject({
    actor: { login: 'monalisa' },
    instruction: 'and the docs',
    trigger: { kind: 'mention', item: { kind: said.kind, nodeId: 'IC_11' } },
    subject: { number: 7 },
  });
  expect(followUp?.event.sender.login).toBe('monalisa');
});

test.each<[string, Said]>([
  ['words that do not call Claude', comment({ body: 'I agree.' })],
  ['a mention in a quoted line', comment({ body: '> @claude fix it\n\nDid it?' })],
  ['the request itself', comment({ id: 10, created_at: asked })],
  ['what was said before it', comment({ id: 9, created_at: '2026-03-01T11:59:59Z' })],
  [
    'another kind of the same second, as nothing tells which was first',
    {
      kind: 'review_comment',
      raw: written({ created_at: asked, path: 'sum.js' }),
    },
  ],
  ['a review that is not sent yet', { kind: 'review', raw: written({ submitted_at: null }) }],
  ['what GitHub does not list like this', { kind: 'issue_comment', raw: { body: '@claude' } }],
])('no follow-up is %s', (_, said) => {
  expect(followUpOf(task, said, config, asked)).toBeNull();
});

test('where every event gets a prompt, a mention is no request of its own', () => {
  const prompted = { ...config, prompt: 'Review it.', trackProgress: true };
  expect(followUpOf(task, comment(), prompted, asked)).toBeNull();
});
