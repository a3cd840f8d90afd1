import type { SDKMessage } from '@anthropic-ai/claude-agent-sdk/core';
import { expect, test } from 'vitest';
import { refusedKey } from './results.ts';

const retry = (error: string, error_status: number | null) =>
  ({ type: 'system', subtype: 'api_retry', attempt: 1, max_retries: 10, error, error_status }) as SDKMessage;

test.each([
  ['authentication_failed', 401],
  ['oauth_org_not_allowed', 403],
  ['account_on_hold', 403],
  ['verification_required', 403],
  ['billing_error', 402],
])('%s does not get better by trying again', (error, status) => {
  expect(refusedKey(retry(error, status))).toEqual({
    reason: 'model_auth',
    text: `The model refused the credential (status ${status}, ${error}).`,
  });
});

test.each([
  ['overloaded', 529],
  ['rate_limit', 429],
  ['server_error', 500],
  ['unknown', null],
])('%s may', (error, status) => {
  expect(refusedKey(retry(error, status))).toBeNull();
});
