/** With the real Claude Code binary: a marketplace in a directory needs no network. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claudeBinary } from '../../testkit/claude/environment.ts';
import { octoMarketplace } from '../../testkit/claude/marketplace.ts';
import { AppError } from '../words/errors.ts';
import { installPlugins, type PluginRequest } from './plugins.ts';

let root: string;
let checkout: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'forgehand-plugins-')));
  checkout = join(root, 'checkout');
  for (const directory of ['configuration', 'home/.claude'])
    await mkdir(join(root, directory), { recursive: true });
  for (const [path, text] of Object.entries(octoMarketplace('marketplace'))) {
    await mkdir(dirname(join(checkout, path)), { recursive: true });
    await writeFile(join(checkout, path), text);
  }
});
afterEach(() => rm(root, { recursive: true, force: true }));

const install = (changes: Partial<PluginRequest>) =>
  installPlugins({
    executable: claudeBinary(),
    marketplaces: ['./marketplace'],
    plugins: ['greeter@octo-tools'],
    configuration: join(root, 'configuration'),
    directory: checkout,
    trustCheckout: true,
    environment: { PATH: process.env.PATH!, HOME: join(root, 'home'), ANTHROPIC_API_KEY: 'sk-ant-key' },
    signal: new AbortController().signal,
    ...changes,
  });

test('plugins of a marketplace in the checkout are copied into the run’s own directory, the machine’s stays empty', async () => {
  const [greeter, ...others] = await install({});
  expect(others).toEqual([]);
  expect(greeter).toContain(join(root, 'configuration'));
  expect(await readFile(join(greeter!, 'commands/greet.md'), 'utf8')).toContain('GREETING-OF-THE-PLUGIN');
  expect(existsSync(join(root, 'home/.claude/settings.json'))).toBe(false);
  expect(existsSync(join(root, 'home/.claude/plugins'))).toBe(false);
});

test('without plugins nothing is started', async () => {
  expect(await install({ plugins: [], executable: '/nowhere' })).toEqual([]);
});

test('installing gets no credential', async () => {
  const executable = join(root, 'claude');
  await writeFile(executable, `#!/bin/sh\nenv >> ${root}/seen\necho '[]'\n`, { mode: 0o755 });
  const environment = {
    PATH: process.env.PATH!,
    ...{ ANTHROPIC_API_KEY: 'secret-1', CLAUDE_CODE_OAUTH_TOKEN: 'secret-2', GH_TOKEN: 'secret-3' },
    ...{
      AWS_SECRET_ACCESS_KEY: 'secret-4',
      GIT_CONFIG_VALUE_0: 'secret-5',
      OTEL_EXPORTER_OTLP_HEADERS: 'secret-6',
    },
  };
  expect(await install({ executable, environment })).toEqual([]);
  const seen = await readFile(join(root, 'seen'), 'utf8');
  expect(seen).toContain('DISABLE_AUTOUPDATER=1');
  expect(seen).not.toContain('secret-');
});

test.each<[string, Partial<PluginRequest>, RegExp]>([
  [
    'a plugin that is not there',
    { plugins: ['nothing@octo-tools'] },
    /^Input `plugins`: `nothing@octo-tools` cannot be installed: .*not found in marketplace "octo-tools"/s,
  ],
  [
    'a directory that is not there',
    { marketplaces: ['./other'] },
    /^Input `plugin_marketplaces`: `\.\/other` cannot be read: ENOENT/,
  ],
  [
    'a directory that is no marketplace',
    { marketplaces: ['./'] },
    /^Input `plugin_marketplaces`: `\.\/` cannot be installed: ./s,
  ],
  [
    'a repository that nobody serves',
    { marketplaces: ['https://127.0.0.1:9/octo/tools.git'] },
    /^Input `plugin_marketplaces`: `https:\/\/127\.0\.0\.1:9\/octo\/tools\.git` cannot be installed: .*127\.0\.0\.1/s,
  ],
  [
    'a directory of a checkout that is not trusted',
    { trustCheckout: false },
    /^Input `plugin_marketplaces`: `\.\/marketplace` is in the checkout, which is not trusted/,
  ],
])('%s is named', async (_, changes, message) => {
  const failure = install(changes);
  await expect(failure).rejects.toBeInstanceOf(AppError);
  await expect(failure).rejects.toMatchObject({
    reason: 'invalid_input',
    message: expect.stringMatching(message),
    remedy: expect.stringMatching(/./),
  });
});

test('a cancelled run does not wait for what is being installed', async () => {
  const executable = join(root, 'claude');
  await writeFile(executable, `#!/bin/sh\ntouch ${root}/started\nexec tail -f /dev/null\n`, { mode: 0o755 });
  const cancel = new AbortController();
  const installing = install({ executable, signal: cancel.signal });
  await expect.poll(() => existsSync(join(root, 'started'))).toBe(true);
  cancel.abort(new AppError('cancelled', 'The job was cancelled.'));
  await expect(installing).rejects.toMatchObject({ reason: 'cancelled' });
});
