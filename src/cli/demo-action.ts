/** The demo of the Action: a mention on a local GitHub, answered by the built action with the real Claude Code, step by step. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claudeBinary, modelEnvironment } from '../../testkit/claude/environment.ts';
import { startModel } from '../../testkit/claude/model.ts';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import { checkout } from '../../testkit/runner/checkout.ts';
import { runAction } from '../../testkit/runner/run-action.ts';
import { diffOf, interrupted, readable, realModel, show } from './demo-output.ts';
import { actionScript, sampleProject } from './demo-project.ts';
import { Timeline } from './demo-timeline.ts';

const repositoryName = 'octo-org/hello';

/** Answers the exit code: 0 when the action succeeded. */
export async function demoAction(keep: boolean): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'forgehand-demo-'));
  const github = await startGitHub();
  try {
    const ended = await tell(github, root);
    if (keep) {
      console.log(`\nThe local GitHub stays at ${github.serverUrl} until Ctrl-C.`);
      await interrupted();
    }
    return ended.main.exitCode === 0 ? 0 : 1;
  } finally {
    await github.close();
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function tell(github: LocalGitHub, root: string): Promise<ActionRun> {
  const action = actionDirectory();
  const workspace = join(root, 'hello');
  const [owner, name] = repositoryName.split('/') as [string, string];
  const repository = await github.createRepository({ owner, name, files: sampleProject });
  repository.setPermission('octocat', 'write');
  const token = github.token({ kind: 'actions', repositories: [repositoryName] });
  const issue = github.createIssue(repository, {
    title: 'The greeting is misspelt',
    body: 'It says “Helo, octocat!”. `npm test` fails since then.',
    author: 'octocat',
  });
  const comment = github.comment(issue, {
    author: 'octocat',
    body: '@claude please fix this and run nothing else.',
  });
  const thread = `${github.serverUrl}/${repositoryName}/issues/${issue.number}`;

  const real = realModel();
  await using scripted = await startModel({ steps: actionScript(workspace) });
  const timeline = new Timeline();
  timeline.say(`a local GitHub with ${repositoryName} is up`, github.serverUrl);
  timeline.say(
    real
      ? 'Claude is the real model, with your ANTHROPIC_API_KEY'
      : 'Claude is scripted; the Claude Code binary is real',
  );
  await checkout({ serverUrl: github.serverUrl, repository: repositoryName, workspace, token });
  github.clearRequests();
  timeline.say('octocat writes: “@claude please fix this and run nothing else.”', thread);
  timeline.say('GitHub starts the workflow: the built action runs');
  const watch = timeline.watch(github.requests, github.serverUrl);
  const ended = await runAction({
    action,
    event: await github.event.issueComment(comment),
    repository: repositoryName,
    workspace,
    github,
    workflow: 'Claude',
    job: 'claude',
    actor: 'octocat',
    measure: true,
    // Ctrl-C cancels the job as GitHub would.
    cancelAfter: new Promise((done) => process.once('SIGINT', done)),
    timeoutMs: 600_000,
    inputs: {
      github_token: token,
      anthropic_api_key: real?.ANTHROPIC_API_KEY ?? scripted.key,
      path_to_claude_code_executable: claudeBinary(),
    },
    env: without(real ?? modelEnvironment(scripted), 'ANTHROPIC_API_KEY'),
    onOutput: (line) => timeline.log(line),
  });
  watch.stop();
  timeline.say(`the action ended: ${ended.outputs.conclusion ?? ended.status}`);

  show('The comment', readable(issue.comments.at(-1)?.body));
  const branch = ended.outputs.branch_name;
  const requests = github.requests.filter(({ kind }) => kind !== 'kit').length;
  if (branch)
    show(`The diff of ${branch}`, await diffOf(github, { repository: repositoryName, token, branch }));
  const memory = ended.peakMemory ? `, ${Math.round(ended.peakMemory.bytes / 2 ** 20)} MiB at most` : '';
  console.log(`\n${requests} GitHub requests${memory}, ${ended.leftovers.length} processes left behind.`);
  if (ended.main.exitCode !== 0) show('The log of the action', ended.log);
  return ended;
}

/** Where `action.yml` and the bundles that it names are. */
function actionDirectory(): string {
  const root = join(import.meta.dirname, '../..');
  if (existsSync(join(root, 'dist/main.mjs'))) return root;
  throw new Error('The action is not built: run `npm run build` first.');
}

function without(all: Record<string, string>, name: string): Record<string, string> {
  const { [name]: _, ...rest } = all;
  return rest;
}
