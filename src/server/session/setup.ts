/** Runs the repository's set-up script inside the fence, once for each workspace, before Claude's first turn. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenFence } from '../../claude/fence.ts';
import type { BranchPlan } from '../../engine/branch-plan.ts';
import { readSetupScript } from '../../workspace/mirror-files.ts';
import type { Setup } from './compose.ts';
import { keep, kept, type SessionContext, tell } from './context.ts';
import type { Ready } from './prepare.ts';

const timeoutMs = 10 * 60_000;
/** Characters of the output that are kept, from its end. */
const longestOutput = 8_000;

/** The script is the default branch's, never the one of a pull request; without a fence it does not run. */
export async function runSetup(
  context: SessionContext,
  ready: Ready,
  fence: OpenFence | null,
): Promise<void> {
  const plan = kept<BranchPlan>(context, 'plan');
  if (!ready.isFresh || context.thread.kind !== 'issue' || !plan) return;
  const script = await readSetupScript(ready.mirror, plan.base.sha);
  if (!script) return;
  if (!fence) {
    context.door.warn('`.forgehand/setup` runs only inside a fence; it was left out.');
    return;
  }
  const file = join(context.door.directory, '.git', 'forgehand-setup');
  await writeFile(file, script.content, { mode: 0o755 });
  await tell(context, 'setup');
  const setup = await run(context, fence, file);
  await keep(context, 'setup', setup);
  await tell(context, 'setup_ended', { exitCode: setup.exitCode });
}

function run({ door, show }: SessionContext, fence: OpenFence, file: string): Promise<Setup> {
  const { claudeEnvironment: env } = fence;
  // By its own first line where it has one; the file is executable and nobody else's.
  const enclosed = fence.enclose('/bin/sh', ['-c', 'exec "$0"', file], { env, network: true });
  return new Promise((resolve) => {
    const child = spawn(enclosed.command, enclosed.args, {
      env: enclosed.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      signal: door.signal,
    });
    let output = '';
    const take = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-longestOutput);
      show(chunk.toString().trimEnd());
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) =>
      resolve({ exitCode: null, output: door.redact(`${output}\n${error.message}`) }),
    );
    child.on('close', (exitCode) => resolve({ exitCode, output: door.redact(output) }));
  });
}
