import { describe, expect, test } from 'vitest';
import { readDispatch } from './dispatch.ts';

const nothing = {
  progressEndpoint: null,
  correlationId: null,
  baseBranch: null,
  branch: null,
  subject: null,
  createPullRequest: null,
  model: null,
  maxTurns: null,
  maxBudgetUsd: null,
  sessionId: null,
  jsonSchema: null,
};

test('a description is all that is needed; what the workflow sends besides is its own', () => {
  expect(readDispatch({ description: 'Add a page', ticket: { id: 7 } })).toEqual({
    ...nothing,
    description: 'Add a page',
  });
  expect(readDispatch({ description: 'x', branch: null, issue_number: null })).toMatchObject(nothing);
});

test('every field has its place', () => {
  const schema = { type: 'object' };
  const session = '1c1ae6ff-3a8c-4c65-9f6a-8b7f6a2f4a4e';
  expect(
    readDispatch({
      description: 'Add a page',
      progress_endpoint: 'https://api.example.com/progress',
      correlation_id: 'req-123-abc',
      base_branch: 'develop',
      branch: 'claude/page',
      issue_number: 42,
      create_pull_request: 'draft',
      model: 'claude-opus-5-5',
      max_turns: 10,
      max_budget_usd: 0.5,
      session_id: session,
      json_schema: schema,
    }),
  ).toEqual({
    description: 'Add a page',
    progressEndpoint: 'https://api.example.com/progress',
    correlationId: 'req-123-abc',
    baseBranch: 'develop',
    branch: 'claude/page',
    subject: { kind: 'issue', number: 42 },
    createPullRequest: 'draft',
    model: 'claude-opus-5-5',
    maxTurns: 10,
    maxBudgetUsd: 0.5,
    sessionId: session,
    jsonSchema: schema,
  });
  expect(readDispatch({ description: 'x', pull_number: 7 }).subject).toEqual({
    kind: 'pull_request',
    number: 7,
  });
});

describe('what does not fit is named', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['no task', {}, /`client_payload\.description` must be a text/],
    ['an empty task', { description: ' \n' }, /`client_payload\.description` must not be empty/],
    ['a correlation id with spaces', { correlation_id: 'a b' }, /correlation_id` must be printable ASCII/],
    [
      'a correlation id with line ends',
      { correlation_id: 'a\nb' },
      /correlation_id` must be printable ASCII/,
    ],
    ['a long correlation id', { correlation_id: 'x'.repeat(201) }, /correlation_id` must have at most 200/],
    ['a number as text', { issue_number: '42' }, /issue_number` must be a number/],
    ['a negative number', { pull_number: -1 }, /pull_number` must be at least 1/],
    ['half a turn', { max_turns: 1.5 }, /max_turns` must be whole/],
    ['no money', { max_budget_usd: 0 }, /max_budget_usd` must be greater than 0/],
    ['infinite money', { max_budget_usd: Number.POSITIVE_INFINITY }, /max_budget_usd`/],
    [
      'an unknown word',
      { create_pull_request: 'merge' },
      /create_pull_request` must be `link`, `draft` or `ready`/,
    ],
    ['a session that is none', { session_id: 'last' }, /session_id` must be a UUID/],
    ['a schema as text', { json_schema: '{}' }, /json_schema` must be a JSON object/],
    ['a schema as a list', { json_schema: [] }, /json_schema` must be a JSON object/],
    ['two subjects', { issue_number: 1, pull_number: 2 }, /both `issue_number` and `pull_number`/],
    [
      'a branch for a pull request',
      { branch: 'x', pull_number: 2 },
      /branch` does not go with `pull_number`/,
    ],
  ])('%s', (_, payload, message) => {
    const given = Object.keys(payload).length > 0 ? { description: 'x', ...payload } : {};
    expect(() => readDispatch(given)).toThrow(
      expect.objectContaining({ reason: 'invalid_input', message: expect.stringMatching(message) }),
    );
  });

  test('all at once', () => {
    expect(() => readDispatch({ description: 1, max_turns: 'many' })).toThrow(
      /description` must be a text\. `client_payload\.max_turns` must be a number/,
    );
  });
});
