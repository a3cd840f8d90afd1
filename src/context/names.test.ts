import { expect, test } from 'vitest';
import { nameMatcher } from './names.ts';

test.each([
  ['octocat', 'octocat', true],
  ['@OctoCat', 'octocat', true],
  ['octocat', 'octocat2', false],
  ['*[bot]', 'dependabot[bot]', true],
  ['dependabot[bot]', 'dependabot[bot]', true],
  ['dependabot', 'dependabot[bot]', true],
  ['dependabot[bot]', 'dependabot', false],
  ['depend*t', 'dependabot[bot]', false],
  ['ghost', 'ghost', true],
  ['*[bot]', 'hubot', false],
  ['*', 'anyone', true],
  ['mona*', 'monalisa', true],
  ['m*l*a', 'monalisa', true],
  ['m*l*a', 'monalis', false],
  ['ab*ba', 'aba', false],
  ['a.c', 'abc', false],
])('%s matches %s: %s', (pattern, login, expected) => {
  expect(nameMatcher([pattern])(login)).toBe(expected);
});

test('an empty list matches nobody', () => {
  expect(nameMatcher([])('octocat')).toBe(false);
});
