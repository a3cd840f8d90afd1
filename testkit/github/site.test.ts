import { describe, expect, test } from 'vitest';
import { startGitHub } from './main.ts';
import { enterprisePath, siteAt } from './site.ts';

const enterprise = siteAt(8080, { hostname: 'ghes.example' });
const dotcom = siteAt(8080, { shape: 'github.com' });

test('an Enterprise Server has one name', () => {
  expect(enterprise).toEqual({
    serverUrl: 'http://ghes.example:8080',
    apiUrl: 'http://ghes.example:8080/api/v3',
    graphqlUrl: 'http://ghes.example:8080/api/graphql',
  });
});

test('github.com has its API elsewhere', () => {
  expect(dotcom).toEqual({
    serverUrl: 'http://127.0.0.1:8080',
    apiUrl: 'http://localhost:8080',
    graphqlUrl: 'http://localhost:8080/graphql',
  });
});

test.each([
  [enterprise, 'ghes.example:8080', '/api/v3/user', '/api/v3/user'],
  [enterprise, 'ghes.example:8080', '/octo/hello.git/info/refs', '/octo/hello.git/info/refs'],
  [enterprise, 'github.com', '/api/v3/user', null],
  [enterprise, undefined, '/api/v3/user', null],
  [dotcom, 'localhost:8080', '/user?page=2', '/api/v3/user?page=2'],
  [dotcom, 'localhost:8080', '/graphql', '/api/graphql'],
  [dotcom, '127.0.0.1:8080', '/octo/hello', '/octo/hello'],
  [dotcom, '127.0.0.1:8080', '/api/v3/user', null],
  [dotcom, '127.0.0.1:8080', '/api/graphql', null],
])('%j asked as %s for %s', (site, host, path, expected) => {
  expect(enterprisePath(site, host, path)).toBe(expected);
});

describe.each(['enterprise', 'github.com'] as const)('in the shape of %s', (shape) => {
  test('its own addresses work, and one that was made up is noticed', async () => {
    await using github = await startGitHub({ shape });
    const token = github.token({ kind: 'pat', login: 'octocat' });
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${github.apiUrl}/user`, { headers })).status).toBe(200);
    expect(github.requests.at(-1)!.path).toBe('/api/v3/user');
    const query = { method: 'POST', headers, body: JSON.stringify({ query: '{ viewer { login } }' }) };
    expect(await (await fetch(github.graphqlUrl, query)).json()).toEqual({
      data: { viewer: { login: 'octocat' } },
    });
    expect(github.violations).toEqual([]);

    const madeUp =
      shape === 'enterprise' ? github.apiUrl.replace('127.0.0.1', 'localhost') : `${github.serverUrl}/api/v3`;
    expect((await fetch(`${madeUp}/user`, { headers })).status).toBe(404);
    expect(github.violations).toHaveLength(1);
  });
});
