import { expect, test } from 'vitest';
import { redactor } from './redact.ts';
import { Secret } from './secret.ts';

const redact = redactor(['hunter2-long-secret', 'short']);
const jwt = `eyJ${'a'.repeat(20)}.eyJ${'b-_'.repeat(10)}.${'c'.repeat(20)}`;

test.each([
  ['a known value', 'key=hunter2-long-secret;', 'key=***;'],
  ['a value too short to be a secret is left alone', 'short', 'short'],
  ['a GitHub token', `token ghs_${'a'.repeat(36)} end`, 'token *** end'],
  ['a fine-grained token', `github_pat_${'A1'.repeat(20)}`, '***'],
  ['an Anthropic key', `sk-ant-api03-${'x'.repeat(24)}`, '***'],
  ['an AWS key id', 'AKIAIOSFODNN7EXAMPLE', '***'],
  ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----', '***'],
  ['a JSON Web Token', `Bearer ${jwt}.`, 'Bearer ***.'],
  ['a JSON Web Token after a dash', `id-${jwt}`, '***'],
  // A log of strangers may be this long; tried from each of its dashes it would never end.
  ['what only begins like many tokens', '-eyJ'.repeat(500_000), '-eyJ'.repeat(500_000)],
  [
    'a suggestion arrives byte-exact',
    '```suggestion\n<img alt="a" title=\'b\'>&#39;\n```',
    '```suggestion\n<img alt="a" title=\'b\'>&#39;\n```',
  ],
])('%s', (_, before, after) => {
  expect(redact(before)).toBe(after);
});

test('a secret cannot be printed', () => {
  const secret = new Secret('value');
  expect([`${secret}`, JSON.stringify({ secret }), secret.reveal()]).toEqual([
    '***',
    '{"secret":"***"}',
    'value',
  ]);
});
