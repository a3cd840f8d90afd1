/** The built client as somebody else's program has it: one file, its types, and the schema. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { progressSchema } from '../../src/client/progress-schema.ts';

const run = promisify(execFile);
const project = await mkdtemp(join(tmpdir(), 'client-package-'));
afterAll(() => rm(project, { recursive: true, force: true }));
const installed = join(project, 'node_modules/forgehand');
for (const path of ['package.json', 'dist/client.mjs', 'dist/types', 'dist/progress.schema.json'])
  await cp(resolve(path), join(installed, path), { recursive: true });

test('it needs nothing beside it', async () => {
  await writeFile(
    join(project, 'user.mjs'),
    `import { AppError, dispatchTask, isTerminal, progressSchema, RefusedError, verifyProgress } from 'forgehand/client';
     import schema from 'forgehand/progress.schema.json' with { type: 'json' };
     const refused = await verifyProgress({ headers: {}, body: '' }, { secret: 'secret' }).catch((error) => error);
     console.log(JSON.stringify([
       refused instanceof RefusedError, refused instanceof AppError, refused.status, typeof dispatchTask,
       isTerminal('failed'), progressSchema.required.length, schema.required.length,
     ]));`,
  );
  const { stdout } = await run(process.execPath, ['user.mjs'], { cwd: project });
  expect(JSON.parse(stdout)).toEqual([true, true, 401, 'function', true, 13, 13]);
});

test('its types tell what fits', async () => {
  // Of the package's own dependencies, and of every program that uses Node's types.
  for (const name of ['zod', '@types'])
    await symlink(resolve('node_modules', name), join(project, 'node_modules', name));
  await writeFile(
    join(project, 'user.mts'),
    `import { dispatchTask, type ProgressEvent, verifyProgress } from 'forgehand/client';
     const { correlationId } = await dispatchTask({ repository: 'o/r', task: 'Work.', token: 't', createPullRequest: 'draft' });
     const event = await verifyProgress(new Request('https://a.example'), { oidc: { audience: 'a', repositories: ['o/r'] } });
     const same: ProgressEvent = event;
     export const words: string = \`\${correlationId} \${same.status satisfies 'queued' | 'in_progress' | 'completed' | 'failed' | 'cancelled'}\`;
     export const cost: number | null | undefined = event.result?.cost_usd;
     // @ts-expect-error There is no such thing.
     await dispatchTask({ repository: 'o/r', task: 'Work.', token: 't', createPullRequest: 'often' });
     // @ts-expect-error Somebody has to be believed.
     await verifyProgress(new Request('https://a.example'), {});
    `,
  );
  await writeFile(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        noEmit: true,
        module: 'nodenext',
        target: 'es2024',
        types: ['node'],
        skipLibCheck: true,
      },
      files: ['user.mts'],
    }),
  );
  const compiler = resolve('node_modules/typescript/bin/tsc');
  const problems = await run(process.execPath, [compiler, '-p', project]).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
  expect(problems).toBe('');
});

test('the schema that comes along is the one of the sources', async () => {
  const text = await readFile(join(installed, 'dist/progress.schema.json'), 'utf8');
  expect(JSON.parse(text)).toEqual(progressSchema);
});
