/** Names under which sessions are found in tmux. */
import { expect, test } from 'vitest';
import { sessionName } from './session-name.ts';

test.each([
  ['octo-org/hello#42', 'claude-octo-org-hello-42'],
  ['octo-org/hello.world#7', 'claude-octo-org-hello_world-7'],
  ['octo-org/a:b c$(x)#7', 'claude-octo-org-a_b_c__x_-7'],
])('%s', (key, name) => {
  expect(sessionName(key, () => false)).toBe(name);
});

test('a name that another thread has gets four digits of its own key', () => {
  const name = sessionName('octo-org/a.b#1', (taken) => taken === 'claude-octo-org-a_b-1');
  expect(name).toMatch(/^claude-octo-org-a_b-1-[0-9a-f]{4}$/);
  expect(sessionName('octo-org/a_b#1', () => true)).not.toBe(name);
});
