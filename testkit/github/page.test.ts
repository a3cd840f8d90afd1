/** The pages show what was written, and run none of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from './main.ts';

let github: LocalGitHub;

beforeAll(async () => {
  github = await startGitHub();
  await github.createRepository({ owner: 'o', name: 'r' });
  await github.createRepository({ owner: 'o', name: 'secret', private: true });
});
afterAll(() => github.close());

test('a thread is shown escaped, under a policy that allows no script', async () => {
  const issue = github.createIssue('o/r', {
    title: '<script>alert(1)</script>',
    body: '"quoted" & <b>bold</b>',
  });
  github.comment(issue, { body: '<img src=x onerror=alert(1)>', author: 'ann' });
  const answer = await fetch(`${github.serverUrl}/o/r/issues/${issue.number}`);
  const html = await answer.text();
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(html).not.toMatch(/<script|<img|<b>bold/);
  expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
});

test('markdown reads as on GitHub: task lists have boxes, hidden comments stay hidden', async () => {
  const issue = github.createIssue('o/r', {
    title: 'List',
    body: '- [x] done\n- [ ] open\n\n<!-- secret -->**bold**',
  });
  const html = await (await fetch(`${github.serverUrl}/o/r/issues/${issue.number}`)).text();
  expect(html).toMatch(/☑ done[\s\S]*☐ open[\s\S]*<strong>bold<\/strong>/);
  expect(html).not.toContain('secret');
});

test('private threads and unknown ones are not found', async () => {
  github.createIssue('o/secret', { title: 'Hidden' });
  for (const path of ['/o/secret/issues/1', '/o/r/issues/99', '/nothing']) {
    expect((await fetch(github.serverUrl + path)).status).toBe(404);
  }
});

test('a discussion shows each comment with its replies', async () => {
  const discussion = github.createDiscussion('o/r', { title: 'Ideas', body: 'Any?', author: 'ann' });
  const comment = github.discuss(discussion, { body: 'One.', author: 'ann' });
  github.discuss(discussion, { body: 'Two.', author: 'ann' });
  github.discuss(discussion, { body: 'Why one?', author: 'ann', replyTo: comment });
  const html = await (await fetch(`${github.serverUrl}/o/r/discussions/${discussion.number}`)).text();
  expect(html).toMatch(/Ideas #\d+[\s\S]*Any\?[\s\S]*One\.[\s\S]*replied[\s\S]*Why one\?[\s\S]*Two\./);
  expect((await fetch(`${github.serverUrl}/o/r/issues/${discussion.number}`)).status).toBe(404);
});
