/** GitHub's own MCP server, on a stand-in for Docker: the host runs it, Claude has its tools, and nothing of it stays. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mcp } from '../../testkit/claude/tools.ts';
import { type DockerNature, standInDocker } from '../../testkit/docker/docker.ts';
import { answers, silence } from './endings.ts';
import { expectNoSecret, expectSuccess, expectTidy } from './expectations.ts';
import { type Stage, setStage } from './stage.ts';

async function withDocker({ github }: Stage, nature: Partial<DockerNature> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'forgehand-docker-'));
  const docker = await standInDocker(directory, { apiUrl: github.apiUrl, ...nature });
  const close = () => rm(directory, { recursive: true, force: true, maxRetries: 3 });
  return { docker, env: { PATH: docker.path }, [Symbol.asyncDispose]: close };
}

const repository = { owner: 'octo-org', repo: 'hello' };
const readIssue = mcp('github', 'issue_read', { ...repository, method: 'get', issue_number: 1 });

test('the tools that are allowed work as the run’s own identity, and their answers are material', async () => {
  await using stage = await setStage();
  const body = `A second voice, and a key: ${stage.model.key}.`;
  const comment = mcp('github', 'add_issue_comment', { ...repository, issue_number: 1, body });
  stage.model.script([{ tools: [readIssue, comment, mcp('github', 'get_me')] }, { text: 'Done.' }]);
  await using scene = await withDocker(stage);
  const run = await stage.mention('@claude look at it', {
    env: scene.env,
    inputs: {
      claude_args:
        '--allowedTools mcp__github__issue_read,mcp__github__add_issue_comment,mcp__github__get_issue',
    },
  });

  expectSuccess(run);
  const [read, commented, me] = stage.model.toolResults().map(({ text }) => text);
  expect(read).toMatch(
    /^<untrusted-([0-9a-f]{32}) kind="issue_read">\n\{.*It says Helo\..*\}\n<\/untrusted-\1>\n/s,
  );
  expect(commented).toContain('A second voice');
  expect(answers(stage).map((answer) => answer.body)).toContain('A second voice, and a key: ***.');
  expect(me).toMatch(/No such tool/i);
  const [first] = stage.model.main;
  const offered = (first!.body.tools as { name: string }[]).filter(({ name }) =>
    name.startsWith('mcp__github__'),
  );
  expect(offered).toMatchObject([
    { name: 'mcp__github__add_issue_comment' },
    { name: 'mcp__github__issue_read', input_schema: { required: expect.arrayContaining(['issue_number']) } },
  ]);
  expect(run.summary).toContain("GitHub's MCP server has no `get_issue`.");

  const [started, ...others] = await scene.docker.runs();
  expect(others).toEqual([]);
  expect(started!.env).toEqual({
    GITHUB_PERSONAL_ACCESS_TOKEN: stage.token,
    GITHUB_HOST: stage.github.serverUrl,
    GITHUB_TOOLSETS: 'all',
  });
  const requests = JSON.stringify(stage.model.requests);
  expectNoSecret({ arguments: started!.args.join(' '), 'what the model has seen': requests }, [stage.token]);
  expect(await scene.docker.containers()).toEqual([]);
  expectTidy(run, stage);
});

test('without Docker a warning says what to do instead, and the run goes on', async () => {
  await using stage = await setStage([{ text: 'Done.' }]);
  await using scene = await withDocker(stage, { daemon: 'down' });
  const run = await stage.run({
    event: await stage.github.event.workflowDispatch(stage.repository.record),
    env: scene.env,
    inputs: { prompt: 'Find duplicates.', settings: '{"permissions": {"allow": ["mcp__github__*"]}}' },
  });
  expectSuccess(run);
  const warnings = run.annotations.filter(({ level }) => level === 'warning');
  expect(warnings).toHaveLength(1);
  expect(warnings[0]!.message).toMatch(
    /^GitHub's MCP server was not started: docker: Cannot connect to the Docker daemon.*\. .*`github_context`/,
  );
  expectTidy(run, stage);
});

test('a server of the workflow’s own that is called `github` takes its place', async () => {
  await using stage = await setStage([{ tools: [readIssue] }, { text: 'Done.' }]);
  await using scene = await withDocker(stage);
  const own = `
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { id, method, params } = JSON.parse(line);
      const tools = [{ name: 'issue_read', description: 'Reads.', inputSchema: { type: 'object' } }];
      const result = {
        initialize: { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'own', version: '1' } },
        'tools/list': { tools },
        'tools/call': { content: [{ type: 'text', text: 'From the server of the workflow.' }] },
      }[method] ?? {};
      if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });`;
  const servers = { mcpServers: { github: { command: 'node', args: ['-e', own.replaceAll(/\s+/g, ' ')] } } };
  const run = await stage.run({
    event: await stage.github.event.workflowDispatch(stage.repository.record),
    env: scene.env,
    inputs: {
      prompt: 'Read the issue.',
      claude_args: `--allowedTools mcp__github --mcp-config ${JSON.stringify(JSON.stringify(servers))}`,
    },
  });
  expectSuccess(run);
  expect(stage.model.toolResults()[0]!.text).toContain('From the server of the workflow.');
  expect(await scene.docker.runs()).toEqual([]);
});

test('when main is killed, post removes the container', async () => {
  await using stage = await setStage([{ tools: [readIssue] }, silence]);
  await using scene = await withDocker(stage, { stubborn: true });
  const run = await stage.mention('@claude look at it', {
    env: scene.env,
    inputs: { claude_args: '--allowedTools mcp__github__issue_read' },
    killMain: stage.model.request(2),
  });
  expect(run.main.signal, run.log).toBe('SIGKILL');
  expect(stage.model.toolResults()[0]!.text).toContain('It says Helo.');
  expect(await scene.docker.containers()).toEqual([]);
  expectTidy(run, stage);
});
