/** `runClaude` of the built package, as somebody else's program has it. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claudeEnvironment } from '../../testkit/claude/environment.ts';
import { type ScriptedModel, startModel } from '../../testkit/claude/model.ts';
import { read, write } from '../../testkit/claude/tools.ts';

const run = promisify(execFile);
let project: string;
let model: ScriptedModel;

/** What npm would install: the files of the package, and Claude Code's own package beside it. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'library-package-'));
  model = await startModel({ expectedKey: 'sk-ant-test-key-for-this-model' });
  const packages = join(project, 'node_modules');
  for (const path of ['package.json', 'dist/index.mjs', 'dist/index', 'dist/types'])
    await cp(resolve(path), join(packages, 'forgehand', path), { recursive: true });
  for (const name of ['@anthropic-ai', 'zod', '@types'])
    await symlink(resolve('node_modules', name), join(packages, name));
  for (const name of ['work', 'temp', 'home']) await mkdir(join(project, name));
});
afterAll(async () => {
  await model.close();
  await rm(project, { recursive: true, force: true, maxRetries: 3 });
});

test('it works in a directory, tells each message, prints nothing, and leaves nothing behind', async () => {
  const work = join(project, 'work');
  await writeFile(join(work, 'README.md'), 'Helo.\n');
  model.script([
    { tools: [read(join(work, 'README.md'))] },
    { tools: [write(join(work, 'NOTES.md'), 'It says Helo.\n')] },
    { text: 'I took a note.' },
  ]);
  await writeFile(
    join(project, 'user.mjs'),
    `import { AppError, runClaude } from 'forgehand';
     const told = [];
     const { messages, ...result } = await runClaude({
       prompt: 'Take a note.',
       directory: 'work',
       claudeArgs: '--allowedTools Write',
       settings: { env: { SAID: 'by the program' } },
       maxBudgetUsd: 5,
       environment: JSON.parse(process.env.FOR_CLAUDE),
       onMessage: (message) => told.push(message),
     });
     const refused = await runClaude({ prompt: '', environment: {} }).catch((error) => error);
     console.log(JSON.stringify({ ...result, same: told.length === messages.length, last: messages.at(-1).type,
       refused: refused instanceof AppError && refused.reason }));`,
  );
  const { stdout, stderr } = await run(process.execPath, ['user.mjs'], {
    cwd: project,
    env: {
      PATH: process.env.PATH,
      TMPDIR: join(project, 'temp'),
      FOR_CLAUDE: JSON.stringify(claudeEnvironment(model, join(project, 'home'))),
    },
  });
  expect(stderr).toBe('');
  const { usage, warnings: _, ...result } = JSON.parse(stdout);
  expect(result).toEqual({
    conclusion: 'success',
    reason: '',
    text: 'I took a note.',
    remedy: '',
    sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    same: true,
    last: 'result',
    refused: 'invalid_input',
  });
  expect(usage).toMatchObject({ costUsd: expect.any(Number), outputTokens: expect.any(Number) });
  expect(usage.turns).toBeGreaterThan(1);
  expect(await readFile(join(work, 'NOTES.md'), 'utf8')).toBe('It says Helo.\n');
  const left = await readdir(join(project, 'temp'));
  expect(left.filter((name) => name.startsWith('forgehand-'))).toEqual([]);
});

test('its types tell what fits', async () => {
  await writeFile(
    join(project, 'user.mts'),
    `import { type RunClaudeOptions, runClaude, type Usage } from 'forgehand';
     const options: RunClaudeOptions = { prompt: 'Work.', sandbox: 'required', signal: AbortSignal.timeout(1000) };
     const { conclusion, usage } = await runClaude(options);
     export const ended: 'success' | 'failure' | 'cancelled' = conclusion;
     export const cost: number | null | undefined = (usage satisfies Usage | null)?.costUsd;
     // @ts-expect-error There is nothing to do.
     await runClaude({ maxBudgetUsd: 1 });
     // @ts-expect-error There is no such way.
     await runClaude({ prompt: 'Work.', sandbox: 'sometimes' });
    `,
  );
  const compilerOptions = {
    ...{ strict: true, noEmit: true, module: 'nodenext', target: 'es2024', types: ['node'] },
    skipLibCheck: true,
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['user.mts'] }));
  const compiler = resolve('node_modules/typescript/bin/tsc');
  const problems = await run(process.execPath, [compiler, '-p', project]).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
  expect(problems).toBe('');
});
