/** For the tests of the fence: whether this machine has one, a place with neighbours that are nobody's business, and a scripted session. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claudeBinary } from '../../testkit/claude/environment.ts';
import { type ScriptedModel, startModel } from '../../testkit/claude/model.ts';
import type { ToolCall } from '../../testkit/claude/step.ts';
import { createLog } from '../words/log.ts';
import { runMark } from '../words/mark.ts';
import { parseClaudeArguments } from './arguments.ts';
import { allowedEnvironment, fixedEnvironment } from './environment.ts';
import { type FenceRequest, type OpenFence, openFence, probeFence } from './fence.ts';
import type { SessionPlan } from './options.ts';
import { endProcesses } from './process.ts';
import { openSession, type SessionResult } from './session.ts';

const support = await probeFence();
/** Why there is no fence here; null when there is one. */
export const whyNoFence = support.usable ? null : support.why;

export const realKey = 'sk-ant-api03-the-real-key-of-this-test';

export interface FencedScene {
  root: string;
  workspace: string;
  scratch: string;
  model: ScriptedModel;
  fence: OpenFence;
  said: string[];
  /** Lets Claude make these calls, one a turn. */
  claude(calls: ToolCall[], change?: Partial<SessionPlan>): Promise<SessionResult>;
  close(): Promise<void>;
}

/** @param below where the scene is laid out; root's HOME is a place that other users cannot enter. */
export async function fencedScene(
  change: Partial<FenceRequest> = {},
  below = tmpdir(),
): Promise<FencedScene> {
  const root = mkdtempSync(join(realpathSync(below), 'fenced-'));
  const workspace = join(root, 'workspaces/one');
  const scratch = join(root, 'scratch');
  mkdirSync(workspace, { recursive: true });
  mkdirSync(scratch, { mode: 0o700 });
  const model = await startModel({ expectedKey: realKey });
  const said: string[] = [];
  const mark = crypto.randomUUID();
  const environment = {
    ...allowedEnvironment({ PATH: process.env.PATH, HOME: process.env.HOME, LANG: process.env.LANG }),
    ...fixedEnvironment,
    ANTHROPIC_API_KEY: realKey,
    ANTHROPIC_BASE_URL: model.url,
    [runMark]: mark,
  };
  const fence = await openFence({
    ...{ workspace, scratch, environment, readOnly: [claudeBinary()], egressAllowed: [] },
    limits: { processes: 400, memoryMiB: 2048 },
    log: createLog((_, message) => said.push(message)),
    ...change,
  });
  const controller = new AbortController();
  return {
    ...{ root, workspace, scratch, model, fence, said },
    claude: async (calls, planned = {}) => {
      model.script([...calls.map((tool) => ({ tools: [tool] })), { text: 'Done.' }]);
      const session = await openSession(
        {
          ...{ executable: claudeBinary(), directory: workspace, scratch, mark, fence },
          environment: fence.claudeEnvironment,
          arguments: parseClaudeArguments('--permission-mode bypassPermissions'),
          permissionMode: 'default',
          ...{ allowedTools: [], disallowedTools: [], trustCheckout: true, settings: '' },
          ...{ maxBudgetUsd: null, servers: [], systemAppend: null },
          ...planned,
        },
        { signal: controller.signal, onMessage: () => undefined, onSpawn: () => undefined },
      );
      return session.run({ text: 'Please help.', request: null, verbatim: true });
    },
    close: async () => {
      controller.abort();
      await endProcesses(mark, null);
      await fence.giveBackWorkspace();
      await fence.close();
      await model.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A file with a secret that must not be read. */
export function plantSecret(path: string, text = 'TOP-SECRET'): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `${text}\n`);
  return path;
}
