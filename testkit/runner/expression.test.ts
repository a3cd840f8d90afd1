import { expect, test } from 'vitest';
import { type Contexts, conditionHolds, evaluate, interpolate } from './expression.ts';

const contexts: Contexts = {
  values: {
    github: {
      repository: 'octo/hello',
      event: { label: { name: 'Bug' }, issue: { number: 7 }, draft: false },
    },
    steps: { claude: { outputs: { answer: '' } } },
  },
  status: 'success',
};

test.each([
  ["'it''s'", "it's"],
  ['github.event.issue.number', 7],
  ["github['event'].issue['number']", 7],
  ['github.event.nothing.here', null],
  ["github.event.label.name == 'bug'", true],
  ["github.event.issue.number == '7'", true],
  ['github.event.draft == false && github.event.issue.number != 8', true],
  ["steps.claude.outputs.answer || 'none'", 'none'],
  ['true || false && false', true],
  ['(true || false) && false', false],
  ["!startsWith(github.repository, 'octo/')", false],
  ['contains(fromJSON(\'["a", "B"]\'), \'b\')', true],
  ["contains('hello', 'ELL')", true],
  ["join(fromJSON('[7, 9]'), ', #')", '7, #9'],
  [`fromJSON('{"sure":0.8}').sure >= 0.8`, true],
  [`contains(fromJSON('[{"is":"low"},{"is":"high"}]').*.is, 'high')`, true],
  ['steps.claude.outputs.answer && fromJSON(steps.claude.outputs.answer).what', ''],
])('%s is %j', (expression, value) => {
  expect(evaluate(expression, contexts)).toEqual(value);
});

test('a text has any number of them', () => {
  expect(
    interpolate(`#\${{ github.event.issue.number }} of \${{github.repository}}\${{ null }}`, contexts),
  ).toBe('#7 of octo/hello');
});

test.each([
  [undefined, 'success', true],
  [undefined, 'failure', false],
  ["github.repository == 'octo/hello'", 'failure', false],
  ['always()', 'cancelled', true],
  ['failure() && github.event.draft == false', 'failure', true],
  [`\${{ !cancelled() }}`, 'failure', true],
] as const)('if: %s after %s: %s', (condition, status, holds) => {
  expect(conditionHolds(condition, { ...contexts, status })).toBe(holds);
});

test.each(['unknown.context', "hashFiles('*')", 'github.event ==', "'open", '1 + 1'])(
  'what it does not know is no guess: %s',
  (expression) => {
    expect(() => evaluate(expression, contexts)).toThrow('does not know the expression');
  },
);
