import { expect, test } from 'vitest';
import { mirrorDirectory, workspaceDirectory } from './places.ts';

test('one place for each thread, and one mirror for each repository', () => {
  expect(workspaceDirectory('/w', 'octo-org/hello#42')).toBe('/w/octo-org/hello/issue-42');
  expect(workspaceDirectory('/w', 'octo_corp/.github#7')).toBe('/w/octo_corp/.github/issue-7');
  expect(workspaceDirectory('/w', 'octo-org/hello#42~1f2e')).toBe('/w/octo-org/hello/issue-42~1f2e');
  expect(mirrorDirectory('/d', 'octo-org/hello.js')).toBe('/d/mirrors/octo-org/hello.js.git');
});

test.each([
  '',
  'hello',
  '/hello',
  'octo-org/',
  '../hello',
  'octo-org/..',
  'octo-org/.',
  '../../etc/passwd',
  'octo-org/hello/..',
  'octo-org/hello\n',
  'octo-org/he\0llo',
  'octo-org/he\\llo',
  '-octo/hello',
  'octo-org/hel lo',
  `octo-org/${'x'.repeat(101)}`,
])('no place for the repository %j', (repository) => {
  expect(() => workspaceDirectory('/w', `${repository}#1`)).toThrow('is not the name of a repository');
  expect(() => mirrorDirectory('/d', repository)).toThrow('is not the name of a repository');
});

test.each(['0', '-1', '1.5', '1/..', '1~', '1~..', '1#2', ''])('no place for number %j', (number) => {
  expect(() => workspaceDirectory('/w', `octo-org/hello#${number}`)).toThrow('names no issue');
});
