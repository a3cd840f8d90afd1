/** What docs/dispatch.md and its workflow promise to backends is what the code takes and gives. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { clientPayloadOf } from '../../src/client/payload.ts';
import { readDispatch } from '../../src/words/dispatch.ts';
import { progressEvent, progressResult, progressStatuses } from '../../src/words/progress.ts';

const page = readFileSync('docs/dispatch.md', 'utf8');
/** The text from one heading to the next. */
const section = (title: string) => new RegExp(`^#+ ${title}\\n([\\s\\S]*?)^#`, 'm').exec(page)![1]!;
/** Names in the first column of the section's table. */
const firstColumn = (title: string) =>
  [...section(title).matchAll(/^\| (`.+?`) \|/gm)].flatMap(([, cell]) =>
    cell!.replaceAll('`', '').split(', '),
  );

describe('docs/dispatch.md', () => {
  test('its payload has the fields that the client writes', () => {
    const issue = clientPayloadOf({
      task: 'Work.',
      progressEndpoint: 'https://api.example.com/progress',
      correlationId: 'req-1',
      baseBranch: 'main',
      branch: 'work',
      issueNumber: 1,
      createPullRequest: 'draft',
      model: 'm',
      maxTurns: 1,
      maxBudgetUsd: 1,
    });
    const session = '3f0c6f0e-9f43-4c2f-9d0e-2a6a4f5f2f10';
    const pull = clientPayloadOf({ task: 'Work.', pullNumber: 1, sessionId: session, jsonSchema: {} });
    expect(firstColumn('Payload').toSorted()).toEqual(Object.keys({ ...issue, ...pull }).toSorted());
  });

  test('its progress has the fields of an event', () => {
    expect(firstColumn('Progress')).toEqual(Object.keys(progressEvent.shape));
    for (const status of progressStatuses) expect(section('Progress')).toContain(`\`${status}\``);
    for (const field of Object.keys(progressResult.shape))
      expect(section('Progress')).toContain(`\`${field}\``);
  });

  test('its examples are a payload and an event', () => {
    const [, sent] = /-d '([\s\S]+?)'/.exec(page)!;
    const { client_payload } = JSON.parse(sent!) as { client_payload: Record<string, unknown> };
    expect(readDispatch(client_payload)).toMatchObject({ correlationId: 'req-123-abc' });
    const [, event] = /```json\n([\s\S]+?)```/.exec(page)!;
    expect(progressEvent.parse(JSON.parse(event!))).toEqual(JSON.parse(event!));
  });
});

test('the example workflow listens to the client, is found by its name, and may sign progress', () => {
  const workflow = parse(readFileSync('examples/workflows/dispatch.yml', 'utf8'));
  expect(workflow.on).toEqual({ repository_dispatch: { types: ['claude-task'] } });
  expect(workflow['run-name']).toContain('github.event.client_payload.correlation_id');
  expect(workflow.jobs.task.permissions).toEqual({
    contents: 'write',
    issues: 'write',
    'pull-requests': 'write',
    'id-token': 'write',
  });
  expect(workflow.jobs.task.steps.at(-1).with).not.toHaveProperty('prompt');
});
