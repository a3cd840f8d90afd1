import { expect, test } from 'vitest';
import type { Actor, GitHubEvent } from '../words/event.ts';
import { comment, eventWith, issue, itself } from './given.fixture.ts';
import { isOwnActivity } from './own-activity.ts';

const bot = { login: 'helper[bot]', type: 'Bot' };
const marked = 'Working …\n<!-- forgehand:task 1 -->';
const ours = (author: Actor, body: string, parts: Partial<GitHubEvent> = {}) =>
  eventWith({ sender: author, item: { ...comment, author, body }, ...parts });
const app = { login: 'forgehand[bot]', type: 'Bot' };
const person = { login: 'amy', type: 'User' };

test.each<[string, GitHubEvent, string | null, boolean, boolean]>([
  ['an App, any words', ours(app, '@claude'), 'forgehand[bot]', true, true],
  ['an App whose login is known without suffix', ours(app, '@claude'), 'forgehand', true, true],
  ['an App in other letters', ours(app, '@claude'), 'Forgehand[bot]', true, true],
  [
    'github-actions',
    ours({ login: 'github-actions[bot]', type: 'Bot' }, 'x'),
    'github-actions[bot]',
    true,
    true,
  ],
  ['a person with our marker', ours(person, marked), 'amy', false, true],
  ['a person without it', ours(person, '@claude fix'), 'amy', false, false],
  ['another person with a copied marker', ours({ login: 'eve' }, marked), 'amy', false, false],
  ['another bot with a copied marker', ours(bot, marked), 'forgehand[bot]', true, false],
  [
    'a person called like our App',
    ours({ login: 'forgehand', type: 'User' }, '@claude'),
    'forgehand[bot]',
    true,
    false,
  ],
  [
    'our answer in a discussion, written with a person’s token',
    ours(person, marked, { name: 'discussion_comment', subject: null }),
    'amy',
    false,
    true,
  ],
  [
    'our comment, edited by a person',
    ours(app, '@claude', { action: 'edited', sender: person }),
    'forgehand[bot]',
    true,
    true,
  ],
  [
    'our marked comment, edited by another',
    ours(person, marked, { action: 'edited', sender: bot }),
    'amy',
    false,
    true,
  ],
  [
    'our pull request, opened',
    eventWith({
      name: 'pull_request',
      action: 'opened',
      sender: person,
      ...itself({ ...issue, kind: 'pull_request', author: person }, { body: marked }),
    }),
    'amy',
    false,
    true,
  ],
  [
    'a label that an App adds',
    eventWith({ name: 'issues', action: 'labeled', label: 'claude', sender: app }),
    'forgehand[bot]',
    true,
    true,
  ],
  [
    'a label that the token owner adds',
    eventWith({ name: 'issues', action: 'labeled', label: 'claude', sender: person }),
    'amy',
    false,
    false,
  ],
  [
    'a label on what an App opened',
    eventWith({ name: 'issues', action: 'labeled', label: 'claude', subject: { ...issue, author: app } }),
    'forgehand[bot]',
    true,
    false,
  ],
  ['a push by an App', eventWith({ name: 'push', subject: null, sender: app }), 'forgehand[bot]', true, true],
  [
    'a run that an App caused',
    eventWith({ name: 'workflow_run', subject: null, upstreamActor: app }),
    'forgehand[bot]',
    true,
    true,
  ],
  [
    'a dispatch by an App',
    eventWith({ name: 'repository_dispatch', subject: null, sender: app }),
    'forgehand[bot]',
    true,
    false,
  ],
  [
    'a schedule in the name of an App',
    eventWith({ name: 'schedule', subject: null, sender: app }),
    'forgehand[bot]',
    true,
    false,
  ],
  ['nobody knows our login', ours(app, marked), null, true, false],
])('own activity: %s', (_, event, ownLogin, ownIsBot, own) => {
  expect(isOwnActivity(event, ownLogin, ownIsBot)).toBe(own);
});
