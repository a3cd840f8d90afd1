import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type DockerNature, standInDocker } from '../../testkit/docker/docker.ts';
import { startGitHub } from '../../testkit/github/main.ts';
import { AppError } from '../words/errors.ts';
import { type AnswerPart, openGitHubServer } from './github.ts';
import { connectTo } from './github-connection.ts';
import { removeContainers, serverCommand } from './github-container.ts';
import { wantedTools } from './github-wanted.ts';

const issue = { owner: 'octo-org', repo: 'hello', method: 'get', issue_number: 1 };

/** A server in a stand-in's container, on a GitHub with one issue; tokens may be changed at any time. */
async function setUp({
  rules = ['mcp__github'],
  ...nature
}: Partial<DockerNature> & { rules?: string[] } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'forgehand-docker-'));
  const github = await startGitHub();
  const repository = await github.createRepository({ owner: 'octo-org', name: 'hello' });
  github.createIssue(repository, { title: 'The greeting is misspelt', body: '', author: 'octocat' });
  const docker = await standInDocker(directory, { apiUrl: github.apiUrl, ...nature });
  const newToken = () => github.token({ kind: 'actions', repositories: ['octo-org/hello'] });
  const given = { token: newToken() };
  const place = { mark: 'the-mark', job: { PATH: docker.path } };
  const command = () =>
    serverCommand({ ...place, token: given.token, serverUrl: github.serverUrl, everyToolset: false });
  const ended = new AbortController();
  const server = () =>
    openGitHubServer({
      wanted: wantedTools(rules)!,
      token: async () => given.token,
      redact: (text) => text,
      start: () => connectTo(command(), ended.signal),
      show: (_, parts: AnswerPart[]) => parts.map(({ text }) => text).join(),
    });
  return {
    ...{ docker, given, newToken, server, place, ended },
    [Symbol.asyncDispose]: async () => {
      await removeContainers(place);
      await github.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

type Server = Awaited<ReturnType<typeof openGitHubServer>>;
const call = ({ offered }: Server, tool: string, input: Record<string, unknown> = issue) =>
  offered.tools.find(({ name }) => name === tool)!.call(input);

describe('GitHub’s own server', () => {
  test('offers its tools as they are, those that are allowed, and names what is missing', async () => {
    await using scene = await setUp({ rules: ['mcp__github__issue_read', 'mcp__github__get_issue'] });
    const server = await scene.server();
    expect(server.missing).toEqual(['get_issue']);
    expect(server.offered).toMatchObject({ name: 'github', instructions: 'GITHUB-SERVER-INSTRUCTIONS' });
    expect(server.offered.tools).toMatchObject([
      {
        name: 'issue_read',
        description: "GitHub's issue_read.",
        inputSchema: { type: 'object', required: ['owner', 'repo', 'method', 'issue_number'] },
      },
    ]);
    const { text, isError } = await call(server, 'issue_read');
    expect([JSON.parse(text).title, isError]).toEqual(['The greeting is misspelt', false]);
    expect((await call(server, 'issue_read', { ...issue, issue_number: 9 })).isError).toBe(true);
    expect((await call(server, 'issue_read', { owner: 1 })).text).toMatch(/issue_read.*owner/s);
    await server.close();
    expect(await scene.docker.containers()).toEqual([]);
  });

  test('with a new token comes a new server, and the former one ends', async () => {
    await using scene = await setUp();
    const server = await scene.server();
    const former = scene.given.token;
    scene.given.token = scene.newToken();
    const answers = await Promise.all([call(server, 'issue_read'), call(server, 'issue_read')]);
    expect(answers.map(({ isError }) => isError)).toEqual([false, false]);
    const tokens = (await scene.docker.runs()).map(({ env }) => env.GITHUB_PERSONAL_ACCESS_TOKEN);
    expect(tokens).toEqual([former, scene.given.token]);
    await server.close();
    expect(await scene.docker.containers()).toEqual([]);
  });

  test('when it dies, the call is an error, and it is started again, once', async () => {
    await using scene = await setUp({ diesOf: 'get_me' });
    const server = await scene.server();
    const dying = await call(server, 'get_me', {});
    expect(dying.isError).toBe(true);
    expect(dying.text).toMatch(/ended while it worked on get_me.*\n.*look before you call it again/);
    expect((await call(server, 'issue_read')).isError).toBe(false);
    await call(server, 'get_me', {});
    const given = await call(server, 'issue_read');
    expect(given).toEqual({ text: expect.stringMatching(/is not there: it has ended again/), isError: true });
    expect(await scene.docker.runs()).toHaveLength(2);
    await server.close();
  });

  test('no `docker`, no daemon: the reason is said', async () => {
    await using scene = await setUp({ daemon: 'down' });
    await expect(scene.server()).rejects.toThrow(/Cannot connect to the Docker daemon/);
    const nowhere = { command: 'docker', args: ['run'], env: { PATH: '/nowhere' } };
    await expect(connectTo(nowhere, scene.ended.signal)).rejects.toThrow('there is no `docker` here');
    await removeContainers({ mark: 'm', job: nowhere.env });
  });

  test('an image that does not arrive is not waited for when the run is over', async () => {
    await using scene = await setUp({ daemon: 'fetching' });
    const opening = scene.server();
    opening.catch(() => {}); // expected below
    await expect.poll(scene.docker.runs, { timeout: 20_000 }).toHaveLength(1);
    scene.ended.abort(new AppError('cancelled', 'The run has ended.'));
    await expect(opening).rejects.toThrow('The run has ended.');
  });

  test('what goes on by itself is found by its label and removed', async () => {
    await using scene = await setUp({ stubborn: true });
    await scene.server();
    expect(await scene.docker.containers()).toHaveLength(1);
    await removeContainers({ ...scene.place, mark: 'of-another-run' });
    expect(await scene.docker.containers()).toHaveLength(1);
    await removeContainers(scene.place);
    expect(await scene.docker.containers()).toEqual([]);
  });
});

describe('how Docker is called', () => {
  const plan = {
    mark: 'm',
    job: { PATH: '/usr/bin', DOCKER_HOST: 'unix:///d', NPM_TOKEN: 'x' },
    token: 'ghs_secret',
  };
  const on = (serverUrl: string, everyToolset = false) => serverCommand({ ...plan, serverUrl, everyToolset });

  test('the token is in its environment, and no value is among its arguments', () => {
    const { args, env } = on('https://github.com');
    expect(args.join(' ')).not.toContain('ghs_secret');
    expect(env).toEqual({
      PATH: '/usr/bin',
      DOCKER_HOST: 'unix:///d',
      GITHUB_PERSONAL_ACCESS_TOKEN: 'ghs_secret',
      FORGEHAND_RUN: 'm-host',
    });
    expect(args.filter((_, index) => args[index - 1] === '--env')).toEqual(['GITHUB_PERSONAL_ACCESS_TOKEN']);
    expect(args.at(-1)).toMatch(/^ghcr\.io\/github\/github-mcp-server:v[\d.]+@sha256:[0-9a-f]{64}$/);
  });

  test('an Enterprise Server and further toolsets are named when there are any', () => {
    expect(on('https://ghe.example.com', true).env).toMatchObject({
      GITHUB_HOST: 'https://ghe.example.com',
      GITHUB_TOOLSETS: 'all',
    });
  });
});
