/** Runs an example workflow as it stands in `examples/workflows`: its triggers, conditions and steps, with the token that its `permissions` give. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { claudeBinary, modelEnvironment } from '../../testkit/claude/environment.ts';
import type { Script } from '../../testkit/claude/step.ts';
import type { ActionOptions, ActionRun } from '../../testkit/runner/action-run.ts';
import { checkout } from '../../testkit/runner/checkout.ts';
import { refOf } from '../../testkit/runner/job.ts';
import { githubContext, runAction } from '../../testkit/runner/run-action.ts';
import { type ActionStep, runWorkflow, type WorkflowRun } from '../../testkit/runner/run-workflow.ts';
import type { WorkflowEvent } from '../../testkit/runner/workflow-file.ts';
import type { Stage } from './stage.ts';

export interface ExampleScene {
  /** Name in `examples/workflows`. */
  example: string;
  event: WorkflowEvent;
  /** @param path makes a path in Claude's checkout absolute. */
  claude?: (path: (relative: string) => string) => Script;
  /** What `gh` answers, by its first two words. */
  gh?: Record<string, string>;
  vars?: Record<string, string>;
  /** Inputs that this machine needs besides those of the file. */
  inputs?: Record<string, string>;
  /** Where the model's key would be taken from another place than the job's secret. */
  oidc?: ActionOptions['oidc'];
}

export interface ExampleRun extends WorkflowRun {
  /** The step with Claude; null when there was none. */
  action: ActionRun | null;
  /** Claude Code's own first message: how it was started. */
  init: { permissionMode?: string; tools?: string[] };
  /** What the workflow's own steps asked `gh` for. */
  ghCalls: string[];
}

/** Stands in for a command of the runner: keeps what the job's steps asked it, and answers what the scene says. */
const standIn = `#!/bin/sh
name=$(basename "$0")
[ -z "$CALLS" ] || printf '%s\\n' "$name $*" >> "$CALLS"
cat "$(dirname "$0")/$name-$1-$2.txt" 2>/dev/null || echo "$name was asked: $*"
`;

export async function runExample(stage: Stage, scene: ExampleScene): Promise<ExampleRun> {
  const { github, model, repository } = stage;
  const root = await mkdtemp(join(tmpdir(), 'forgehand-example-'));
  const tools = await makeTools(root, scene.gh ?? {});
  const job = { repository: repository.fullName, event: scene.event, actor: 'octocat', runId: 7, github };
  let workspace = '';
  let action: ActionRun | null = null;
  model.script(scene.claude?.((relative) => join(workspace, relative)) ?? []);

  const act = async (step: ActionStep) => {
    workspace = step.workspace;
    action = await runAction({
      ...job,
      action: resolve('.'),
      workspace,
      token: step.token,
      workflow: scene.example,
      timeoutMs: 150_000,
      inputs: { path_to_claude_code_executable: claudeBinary(), ...step.inputs, ...scene.inputs },
      env: { ...modelVariables(stage), PATH: tools.path },
      oidc: step.permissions['id-token'] === 'write' ? scene.oidc : undefined,
      keep: true,
    });
    return { succeeded: action.main.exitCode === 0, outputs: action.outputs };
  };

  try {
    const run = await runWorkflow({
      file: join('examples/workflows', scene.example),
      event: scene.event,
      directory: join(root, 'work'),
      env: { PATH: tools.path, HOME: root, CALLS: tools.calls },
      secrets: { ANTHROPIC_API_KEY: model.key },
      vars: scene.vars,
      token: (permissions) =>
        github.token({
          kind: 'actions',
          repositories: [repository.fullName],
          permissions: Object.fromEntries(
            Object.entries(permissions).map(([name, level]) => [name.replaceAll('-', '_'), level]),
          ) as Record<string, 'read' | 'write'>,
        }),
      github: (place) => githubContext({ ...job, ...place }),
      actions: {
        'actions/checkout': (step) => checkOut(stage, scene.event, step),
        'forgehand/forgehand': act,
      },
    });
    const calls = await readFile(tools.calls, 'utf8').catch(() => '');
    const ghCalls = calls.split('\n').filter((line) => line.startsWith('gh '));
    return { ...run, action, ghCalls, init: await initOf(action) };
  } finally {
    const directories = [root, ...(action ? [(action as ActionRun).directory] : [])];
    for (const directory of directories) await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function makeTools(root: string, answers: Record<string, string>) {
  const directory = join(root, 'tools');
  await mkdir(directory);
  for (const name of ['gh', 'sudo']) {
    await writeFile(join(directory, name), standIn);
    await chmod(join(directory, name), 0o755);
  }
  for (const [words, text] of Object.entries(answers)) {
    await writeFile(join(directory, `gh-${words.replace(' ', '-')}.txt`), text);
  }
  return { path: `${directory}:${process.env.PATH}`, calls: join(root, 'calls') };
}

function modelVariables({ model }: Stage): Record<string, string> {
  const { ANTHROPIC_API_KEY: _, ...rest } = modelEnvironment(model);
  return rest;
}

/** As actions/checkout chooses: what `with` says, else what the event runs on. */
async function checkOut(stage: Stage, event: WorkflowEvent, { workspace, token, inputs }: ActionStep) {
  const pull = event.payload.pull_request as { head?: { ref?: string } } | undefined;
  await checkout({
    serverUrl: stage.github.serverUrl,
    repository: stage.repository.fullName,
    workspace,
    token,
    ref: inputs.ref || refOf(event.name, event.payload),
    fallbackRef: pull?.head?.ref,
    fetchDepth: Number(inputs['fetch-depth'] ?? 1),
    persistCredentials: inputs['persist-credentials'] !== 'false',
  });
  return { succeeded: true, outputs: {} };
}

async function initOf(action: ActionRun | null): Promise<ExampleRun['init']> {
  const file = action?.outputs.execution_file;
  if (!file) return {};
  const messages = JSON.parse(await readFile(file, 'utf8')) as { type: string; subtype?: string }[];
  return (messages.find(({ subtype }) => subtype === 'init') ?? {}) as ExampleRun['init'];
}
