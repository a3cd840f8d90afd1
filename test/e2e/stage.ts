/** The stage of an end-to-end story: a local GitHub with a project, a scripted Claude, and the built action to run. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { claudeBinary, modelEnvironment } from '../../testkit/claude/environment.ts';
import { type ScriptedModel, startModel } from '../../testkit/claude/model.ts';
import type { Script } from '../../testkit/claude/step.ts';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import type { RepositoryView } from '../../testkit/github/repository-view.ts';
import type { ActionOptions, ActionRun } from '../../testkit/runner/action-run.ts';
import { type CheckoutOptions, checkout } from '../../testkit/runner/checkout.ts';
import { runAction } from '../../testkit/runner/run-action.ts';

/** What a story may set for one run; everything else is as a repository owner would have it. */
export interface Scene extends Partial<Omit<ActionOptions, 'event'>> {
  event: ActionOptions['event'];
  /** Changes to how the project is checked out; false for no checkout at all. */
  checkout?: Partial<CheckoutOptions> | false;
  /** An earlier step of the job: changes the workspace before the action has it. */
  before?: (workspace: string) => Promise<unknown>;
}

export interface Stage extends AsyncDisposable {
  github: LocalGitHub;
  model: ScriptedModel;
  repository: RepositoryView;
  /** The job's `secrets.GITHUB_TOKEN`. */
  token: string;
  /** The checkout of the latest run; it stays until the stage is struck. */
  workspace: string;
  /** What `.git/config` of that checkout said before the run: what later steps of the job must find again. */
  givenConfig: string;
  /** Absolute path in the checkout, as Claude's file tools want it. */
  path(relative: string): string;
  run(scene: Scene): Promise<ActionRun>;
  /** octocat asks for something in a new issue's comment, and the action runs. */
  mention(text: string, scene?: Partial<Scene>): Promise<ActionRun>;
}

export const projectFiles = {
  'README.md': '# Hello\n\nA small project.\n',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a file's text
  'src/greet.js': 'export const greet = (name) => `Helo, ${name}!`;\n',
  'CLAUDE.md': 'Use short sentences.\n',
};

/** Whose addresses the GitHub of a story has; `npm run test:ghes` has them all on an Enterprise Server. */
const everywhereGhes = process.env.FORGEHAND_TEST_GHES === 'true';
const sites = {
  ghes: { shape: 'enterprise', hostname: 'localhost' },
  dotcom: { shape: 'github.com' },
} as const;

export async function setStage(
  script: Script = [],
  { ghes = everywhereGhes }: { ghes?: boolean } = {},
): Promise<Stage> {
  const root = await mkdtemp(join(tmpdir(), 'forgehand-stage-'));
  const github = await startGitHub(ghes ? sites.ghes : sites.dotcom);
  const model = await startModel({ steps: script, expectedKey: 'sk-ant-api03-the-key-of-this-story' });
  const repository = await github.createRepository({ owner: 'octo-org', name: 'hello', files: projectFiles });
  repository.setPermission('octocat', 'write');
  const token = github.token({ kind: 'actions', repositories: ['octo-org/hello'] });
  const kept: string[] = [];
  let runs = 0;

  const stage: Stage = {
    github,
    model,
    repository,
    token,
    workspace: '',
    givenConfig: '',
    path: (relative) => join(stage.workspace, relative),
    run: async (scene) => {
      runs += 1;
      stage.workspace = join(root, `checkout-${runs}`);
      await mkdir(stage.workspace);
      stage.givenConfig = '';
      if (scene.checkout !== false) {
        await checkout({
          serverUrl: github.serverUrl,
          repository: repository.fullName,
          workspace: stage.workspace,
          token,
          runnerTemp: join(root, 'runner-temp'),
          ...scene.checkout,
        });
        stage.givenConfig = await readFile(stage.path('.git/config'), 'utf8');
      }
      await scene.before?.(stage.workspace);
      github.clearRequests();
      const { checkout: _, before: __, inputs, env, ...rest } = scene;
      const run = await runAction({
        action: resolve('.'),
        repository: repository.fullName,
        workspace: stage.workspace,
        github,
        workflow: 'Claude',
        job: 'claude',
        runId: String(1000 + runs),
        actor: 'octocat',
        timeoutMs: 150_000,
        ...rest,
        inputs: {
          github_token: token,
          anthropic_api_key: model.key,
          path_to_claude_code_executable: claudeBinary(),
          ...inputs,
        },
        env: { ...without(modelEnvironment(model), 'ANTHROPIC_API_KEY'), ...env },
      });
      if (scene.keep) kept.push(run.directory);
      return run;
    },
    mention: async (text, scene = {}) => {
      const issue = github.createIssue(repository, {
        title: 'The greeting is misspelt',
        body: 'It says Helo.',
        author: 'octocat',
      });
      const comment = github.comment(issue, { author: 'octocat', body: text });
      return stage.run({ event: await github.event.issueComment(comment), ...scene });
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([github.close(), model.close()]);
      for (const directory of [root, ...kept])
        await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  return stage;
}

function without<T extends Record<string, string>>(all: T, name: string): Record<string, string> {
  const { [name]: _, ...rest } = all;
  return rest;
}
