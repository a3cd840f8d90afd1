import { describe, expect, test } from 'vitest';
import { readConfig } from '../../words/config.ts';
import { Secret } from '../../words/secret.ts';
import { lastingSecret, seal, unseal } from './seal.ts';

const secret = new Secret('sk-ant-api03-the-key');
const binding = ['octo-org/hello#1', 'forgehand-abc-1'];
const plain = Buffer.from('What was said. '.repeat(40));
const sealed = seal(plain, secret, binding);

test('a seal opens with its secret, for what it was made for', () => {
  expect(unseal(sealed, secret, binding)).toEqual(plain);
  expect(unseal(seal(Buffer.alloc(0), secret, binding), secret, binding)).toEqual(Buffer.alloc(0));
});

test('nothing of the text is to be seen, and no two seals are alike', () => {
  expect(sealed.includes('said')).toBe(false);
  expect(seal(plain, secret, binding).subarray(1).equals(sealed.subarray(1))).toBe(false);
});

const changed = (at: number) => {
  const bytes = Buffer.from(sealed);
  bytes[at]! ^= 1;
  return bytes;
};

describe('it opens for nothing else', () => {
  test.each<[string, Buffer, Secret, string[]]>([
    ['another secret', sealed, new Secret('sk-ant-api03-the-new-key'), binding],
    ['another thread', sealed, secret, ['octo-org/hello#2', binding[1]!]],
    ['another repository', sealed, secret, ['octo-org/other#1', binding[1]!]],
    ['another key', sealed, secret, [binding[0]!, 'forgehand-abc-2']],
    ['words that are cut in another place', sealed, secret, [binding.join('')]],
    ['no binding', sealed, secret, []],
    ['another format', changed(0), secret, binding],
    ['another salt', changed(1), secret, binding],
    ['a changed text', changed(40), secret, binding],
    ['a changed tag', changed(sealed.length - 1), secret, binding],
    ['a part of it', sealed.subarray(0, -1), secret, binding],
    ['its head alone', sealed.subarray(0, 33), secret, binding],
    ['more than it', Buffer.concat([sealed, Buffer.from('x')]), secret, binding],
    ['nothing', Buffer.alloc(0), secret, binding],
  ])('%s', (_, bytes, key, words) => {
    expect(unseal(bytes, key, words)).toBeNull();
  });
});

describe('the secret is one that the next run has, too', () => {
  test.each<[string, Record<string, string>, string | null]>([
    ['the key of the model', { anthropic_api_key: 'one', app_private_key: 'two' }, 'one'],
    ['its OAuth token', { claude_code_oauth_token: 'one', ssh_signing_key: 'two' }, 'one'],
    ["the App's key", { app_id: '1', app_private_key: 'one' }, 'one'],
    ['the key that signs', { ssh_signing_key: 'one', github_token: 'two' }, 'one'],
    ['never the token of the job', { github_token: 'one' }, null],
    ['none', {}, null],
  ])('%s', (_, given, expected) => {
    const { config } = readConfig((name) => given[name]);
    expect(lastingSecret(config)?.reveal() ?? null).toBe(expected);
  });
});
