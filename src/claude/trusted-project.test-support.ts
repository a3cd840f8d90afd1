/** A checkout and a base beside each other, and Claude Code at work in the one with the other's configuration. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { claudeBinary, claudeEnvironment } from '../../testkit/claude/environment.ts';
import { startModel } from '../../testkit/claude/model.ts';
import type { ToolCall } from '../../testkit/claude/step.ts';
import { runMark } from '../words/mark.ts';
import { parseClaudeArguments } from './arguments.ts';
import type { SessionPlan } from './options.ts';
import { endProcesses } from './process.ts';
import { openSession } from './session.ts';

export type TrustedScene = Awaited<ReturnType<typeof setTrustedScene>>;

export async function setTrustedScene() {
  const mark = crypto.randomUUID();
  const model = await startModel({ expectedKey: 'sk-ant-test-key-for-this-model' });
  const root = await realpath(await mkdtemp(join(tmpdir(), 'trusted-')));
  const [checkout, base] = [join(root, 'checkout'), join(root, 'base')];
  await put(checkout, { 'src/x.txt': 'the text of x\n', 'README.md': 'Hello.\n' });
  await mkdir(base);

  /** Lets Claude make these calls; everything that the model was sent, as one text. */
  async function session(calls: ToolCall[], change: Partial<SessionPlan> = {}): Promise<string> {
    model.script([...calls.map((tool) => ({ tools: [tool] })), { text: 'Done.' }]);
    const opened = await openSession(
      {
        ...{ executable: claudeBinary(), directory: checkout, scratch: root, mark },
        environment: { ...claudeEnvironment(model, root), [runMark]: mark },
        arguments: parseClaudeArguments(''),
        permissionMode: 'acceptEdits',
        ...{ allowedTools: [], disallowedTools: [], settings: '', maxBudgetUsd: null, servers: [] },
        ...{
          systemAppend: null,
          fence: null,
          trustCheckout: false,
          trusted: { directory: base, nested: {} },
        },
        ...change,
      },
      { signal: new AbortController().signal, onMessage: () => {}, onSpawn: () => {} },
    );
    const { reason } = await opened.run({ text: 'Please help.', request: null, verbatim: true });
    expect(reason).toBe('');
    return JSON.stringify(model.requests.map(({ body }) => body));
  }

  return {
    ...{ model, root, checkout, base, session },
    strike: async () => {
      await endProcesses(mark, null);
      await model.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export async function put(directory: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}

const said = (word: string) => ({ type: 'command', command: `echo ${word}` });

/** A skill, agent or command. */
export const described = (word: string) => `---\nname: obey\ndescription: ${word}\n---\n${word}\n`;

/** Settings by which the word gets into the first request. */
export const hooks = (word: string) =>
  JSON.stringify({ hooks: { UserPromptSubmit: [{ hooks: [said(word)] }] } });
