import { expect, test } from 'vitest';
import { configWith, type LoosePayload, payloadOf } from '../../trigger/given.fixture.ts';
import { classify } from './classify.ts';

const read = (event: string, payload: LoosePayload, installationId: number | null = null) =>
  classify(
    { id: 'd1', event, payload: JSON.stringify(payload), source: 'webhook' },
    { engine: configWith(), trigger: ['opened'], prFeedback: true, installationId },
    { payload, self: null },
  );

test('a delivery is read for what it is about, and left undecided when more must be known', () => {
  const payload = payloadOf('issues.opened');
  payload.installation = { id: 77 };
  expect(read('issues', payload)).toMatchObject({
    action: 'opened',
    repository: payload.repository.full_name,
    number: payload.issue.number,
    installationId: 77,
    decision: null,
  });
});

test('GITHUB_APP_INSTALLATION_ID keeps other installations out: a token must not be used for another account', () => {
  const payload = { ...payloadOf('issues.opened'), installation: { id: 88 } };
  expect(read('issues', payload, 77).decision).toMatchObject({
    verdict: 'ignore',
    reason: 'switched_off',
    message: 'It is of installation 88, and GITHUB_APP_INSTALLATION_ID names 77.',
  });
  expect(read('issues', { ...payload, installation: { id: 77 } }, 77).decision).toBeNull();
  expect(read('issues', { ...payload, installation: undefined }, 77).decision).toBeNull();
});

test.each<[string, (payload: LoosePayload) => unknown]>([
  ['a number that is none', (payload) => (payload.issue.number = '1; drop table')],
  ['a number beyond all issues', (payload) => (payload.issue.number = 2 ** 40)],
  ['a repository that climbs', (payload) => (payload.repository.full_name = '../../etc')],
  ['no repository', (payload) => delete payload.repository],
  ['no issue', (payload) => delete payload.issue],
  ['an action that is an object', (payload) => (payload.action = {})],
])('%s is no reason to fail', (_, change) => {
  const payload = payloadOf('issues.opened');
  change(payload);
  const { decision, number } = read('issues', payload);
  expect([decision?.verdict ?? null, typeof number]).not.toEqual([null, 'string']);
});
