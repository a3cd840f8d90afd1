/** The stage of the Action's benchmarks: a local GitHub that takes 50 ms an answer, a scripted Claude, and a fresh checkout a run. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { actionScript, sampleProject } from '../src/cli/demo-project.ts';
import { claudeBinary, modelEnvironment } from '../testkit/claude/environment.ts';
import { type ScriptedModel, startModel } from '../testkit/claude/model.ts';
import { type LocalGitHub, startGitHub } from '../testkit/github/main.ts';
import type { ActionRun } from '../testkit/runner/action-run.ts';
import { checkout } from '../testkit/runner/checkout.ts';
import { runAction } from '../testkit/runner/run-action.ts';

export const latencyMs = 50;
export const repository = 'octo-org/hello';

export interface BenchStage extends AsyncDisposable {
  github: LocalGitHub;
  model: ScriptedModel;
  token: string;
  /** octocat comments on a new issue, and the action answers; `measure` samples memory, which costs time. */
  mention(body: string, options?: { measure?: boolean; on?: 'issue' | 'pull request' }): Promise<ActionRun>;
}

export async function benchStage(): Promise<BenchStage> {
  const root = await mkdtemp(join(tmpdir(), 'forgehand-bench-'));
  // Fast enough to be compared with the floor: checking every answer against the description takes time of its own.
  const github = await startGitHub({ validate: false });
  const workspace = join(root, 'hello');
  const model = await startModel({ steps: actionScript(workspace) });
  const [owner, name] = repository.split('/') as [string, string];
  const project = await github.createRepository({ owner, name, files: sampleProject });
  project.setPermission('octocat', 'write');
  const token = github.token({ kind: 'actions', repositories: [repository] });
  let pulls = 0;
  const openPull = async (text: { title: string; body: string; author: string }) => {
    pulls += 1;
    const head = `topic-${pulls}`;
    await project.addCommit({ branch: head, message: 'Begin', files: { 'notes.md': `${pulls}\n` } });
    return github.createPullRequest(project, { ...text, head });
  };
  return {
    github,
    model,
    token,
    mention: async (body, { measure = false, on = 'issue' } = {}) => {
      github.latencyMs = 0;
      await rm(workspace, { recursive: true, force: true });
      await checkout({ serverUrl: github.serverUrl, repository, workspace, token });
      const text = { title: 'The greeting is misspelt', body: 'Helo', author: 'octocat' };
      const subject = on === 'issue' ? github.createIssue(project, text) : await openPull(text);
      const event = await github.event.issueComment(github.comment(subject, { author: 'octocat', body }));
      github.clearRequests();
      model.requests.splice(0);
      github.latencyMs = latencyMs;
      const { ANTHROPIC_API_KEY: _, ...modelAddress } = modelEnvironment(model);
      return runAction({
        action: resolve('.'),
        event,
        repository,
        workspace,
        github,
        actor: 'octocat',
        measure,
        inputs: {
          github_token: token,
          anthropic_api_key: model.key,
          path_to_claude_code_executable: claudeBinary(),
        },
        env: modelAddress,
      });
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([github.close(), model.close()]);
      await rm(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Milliseconds that a bare Node takes to run these lines and exit. */
export function bareNode(lines: string): Promise<{ ms: number; startedAt: number }> {
  const startedAt = Date.now();
  const from = performance.now();
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', lines], { stdio: 'ignore' });
    child.on('error', fail);
    child.on('exit', () => done({ ms: performance.now() - from, startedAt }));
  });
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** `187 (171–240)`. */
export function spread(values: number[]): string {
  return `${Math.round(median(values))} (${Math.round(Math.min(...values))}–${Math.round(Math.max(...values))})`;
}

/** One line of the report. */
export function line(name: string, text: string): void {
  console.log(`${name.padEnd(34)} ${text}`);
}
