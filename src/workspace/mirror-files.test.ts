import { chmodSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commit, makeProject, shellGit, write } from './local-remote.test-support.ts';
import { readSetupScript, readTemplate } from './mirror-files.ts';

/** A commit of these files; what is asked of it. */
function at(files: Record<string, string>) {
  const { source } = makeProject({ 'readme.md': 'hello', ...files });
  const mirror = join(source, '.git');
  const sha = () => shellGit(source, 'rev-parse', 'HEAD');
  return { source, template: () => readTemplate(mirror, sha()), setup: () => readSetupScript(mirror, sha()) };
}

test.each<[string, Record<string, string>, string | null]>([
  ['none', {}, null],
  ['.github', { '.github/PULL_REQUEST_TEMPLATE.md': '## What\n' }, '## What'],
  ['root', { 'PULL_REQUEST_TEMPLATE.md': 'root' }, 'root'],
  ['docs', { 'docs/pull_request_template.md': 'docs' }, 'docs'],
  ['any case', { '.GitHub/Pull_Request_Template.MD': 'case' }, 'case'],
  ['plain text', { 'pull_request_template.txt': 'txt' }, 'txt'],
  ['no extension', { '.github/PULL_REQUEST_TEMPLATE': 'bare' }, 'bare'],
  [
    '.github before the root, the root before docs',
    {
      '.github/pull_request_template.md': '1',
      'pull_request_template.md': '2',
      'docs/pull_request_template.md': '3',
    },
    '1',
  ],
  ['the root before docs', { 'pull_request_template.md': '2', 'docs/pull_request_template.md': '3' }, '2'],
  [
    'an empty one is none',
    { '.github/pull_request_template.md': ' \n', 'docs/pull_request_template.md': '3' },
    '3',
  ],
  ['a folder with one', { '.github/PULL_REQUEST_TEMPLATE/feature.md': 'only' }, 'only'],
  [
    'a folder with a default',
    { 'PULL_REQUEST_TEMPLATE/a.md': 'a', 'PULL_REQUEST_TEMPLATE/default.md': 'default' },
    'default',
  ],
  [
    'a folder of several without a default',
    { 'docs/pull_request_template/a.md': 'a', 'docs/pull_request_template/b.md': 'b' },
    null,
  ],
  ['Windows line ends', { 'pull_request_template.md': 'a\r\nb\r\n' }, 'a\nb'],
  ['other files', { '.github/pull_request_template.md.bak': 'x', 'src/pull_request_template.md': 'y' }, null],
  ['larger than a description may be', { 'pull_request_template.md': 'x'.repeat(300_000) }, null],
])('the template: %s', async (_, files, expected) => {
  expect(await at(files).template()).toBe(expected);
});

test('a link is no template and no setup script', async () => {
  const { source, template, setup } = at({ 'secret.md': 's' });
  symlinkSync('secret.md', join(source, 'pull_request_template.md'));
  write(source, '.forgehand/x', '');
  rmSync(join(source, '.forgehand/x'));
  symlinkSync('/etc/passwd', join(source, '.forgehand/setup'));
  commit(source, {}, 'Links');
  expect(await template()).toBeNull();
  expect(await setup()).toBeNull();
});

test('the setup script, byte for byte, and whether it is executable', async () => {
  const { source, setup } = at({});
  expect(await setup()).toBeNull();
  const script = '#!/bin/sh\nprintf "\\0"\r\n\n';
  commit(source, { '.forgehand/setup': script });
  expect(await setup()).toEqual({ content: Buffer.from(script), executable: false });
  chmodSync(join(source, '.forgehand/setup'), 0o755);
  commit(source, {}, 'Executable');
  expect(await setup()).toMatchObject({ executable: true });
  commit(source, { '.forgehand/setup': 'x'.repeat(2 ** 20 + 1) });
  await expect(setup()).rejects.toMatchObject({ reason: 'invalid_input' });
});

test('a folder in its place is no setup script', async () => {
  expect(await at({ '.forgehand/setup/a': 'x' }).setup()).toBeNull();
});
