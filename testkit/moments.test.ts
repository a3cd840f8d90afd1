import { expect, test } from 'vitest';
import { startModel } from './claude/model.ts';
import { startGitHub } from './github/main.ts';

async function project() {
  const github = await startGitHub();
  const repository = await github.createRepository({ owner: 'octo-org', name: 'hello' });
  const issue = github.createIssue(repository, { author: 'octocat', title: 'Hello' });
  repository.setPermission('octocat', 'write');
  const token = github.token({ login: 'octocat' });
  const comment = () =>
    fetch(`${github.apiUrl}/repos/octo-org/hello/issues/${issue.number}/comments`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ body: 'Hi.' }),
    }).then(
      ({ status }) => status,
      () => 'no answer',
    );
  return { github, issue, comment };
}

test('a request to GitHub is seen before and after it takes effect, and waits for who looks', async () => {
  const { github, issue, comment } = await project();
  await using _ = github;
  const seen: unknown[] = [];
  const stop = github.onRequest(async ({ request, phase }) => {
    await Promise.resolve();
    seen.push([phase, request.method, issue.comments.length]);
  });
  expect(await comment()).toBe(201);
  stop();
  expect(await comment()).toBe(201);
  expect(seen).toEqual([
    ['before', 'POST', 0],
    ['after', 'POST', 1],
  ]);
});

test.each([
  ['before', 0],
  ['after', 1],
])('a client that is gone %s a request took effect gets no answer', async (when, comments) => {
  const { github, issue, comment } = await project();
  await using _ = github;
  github.onRequest(({ phase }) => (phase === when ? 'drop' : null));
  expect(await comment()).toBe('no answer');
  expect(issue.comments).toHaveLength(comments);
});

test('a request to the model is seen before and after its answer', async () => {
  await using model = await startModel();
  const seen: string[] = [];
  model.onRequest(({ request, phase }) => void seen.push(`${phase} ${request.path}`));
  await (await fetch(`${model.url}/v1/models`)).text();
  await expect.poll(() => seen).toEqual(['before /v1/models', 'after /v1/models']);
});
