import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { claudeBinary } from '../../testkit/claude/environment.ts';
import { AppError } from '../words/errors.ts';
import { createLog } from '../words/log.ts';
import { claudeOfOurs, type ExecutableSource, findClaude, testedVersion } from './executable.ts';
import { type Published, startRegistry } from './npm-registry.test-support.ts';
import pinned from './pinned.json' with { type: 'json' };

let root: string;
let source: ExecutableSource;
/** First on PATH, and empty. */
let bin: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'forgehand-executable-'));
  for (const name of ['home', 'bin', 'checkout', 'scratch', 'tool-cache']) await mkdir(join(root, name));
  bin = join(root, 'bin');
  source = {
    given: null,
    version: null,
    directory: join(root, 'checkout'),
    job: job(),
    toolCache: join(root, 'tool-cache'),
    scratch: join(root, 'scratch'),
    log: createLog(() => {}),
  };
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A job with the real npm, its own HOME and cache, and no Claude Code of the machine. */
function job(registry = 'http://127.0.0.1:9'): Record<string, string> {
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !existsSync(join(folder, 'claude')));
  return {
    PATH: [join(root, 'bin'), dirname(process.execPath), ...path].join(delimiter),
    HOME: join(root, 'home'),
    npm_config_cache: join(root, 'home/npm-cache'),
    npm_config_registry: registry,
    npm_config_fetch_retries: '0',
    npm_config_update_notifier: 'false',
  };
}

const says = (version: string) => `#!/bin/sh\necho '${version} (Claude Code)'\n`;

async function script(path: string, text: string, mode = 0o755): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode });
  return path;
}

const refusal = async (changes: Partial<ExecutableSource>): Promise<AppError> => {
  const error = await findClaude({ ...source, ...changes }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
};

describe('the path that the input gives', () => {
  test('absolute', async () => {
    const path = await script(join(root, 'my claude'), says('0.0.1'));
    expect(await findClaude({ ...source, given: path })).toBe(path);
  });

  test('relative paths start at the checkout', async () => {
    const path = await script(join(source.directory, 'tools/claude'), says('0.0.1'));
    expect(await findClaude({ ...source, given: 'tools/claude' })).toBe(path);
  });

  test.each<[string, () => Promise<string>, RegExp]>([
    ['missing', async () => '/nowhere/claude', /`\/nowhere\/claude` is not an executable file/],
    ['not executable', () => script(join(root, 'plain'), says('1'), 0o644), /is not an executable file/],
    ['a folder', async () => join(root, 'bin'), /is not an executable file/],
    [
      'with control characters',
      async () => 'claude\n::set-output name=x::y',
      /contains control characters\.$/,
    ],
  ])('%s: refused by the name of the input, without looking elsewhere', async (_, given, message) => {
    await script(join(bin, 'claude'), says(testedVersion));
    const error = await refusal({ given: await given() });
    expect(error).toMatchObject({ reason: 'invalid_input', message: expect.stringMatching(message) });
    expect(error.message).toContain('`path_to_claude_code_executable`');
  });
});

describe('`claude` on PATH', () => {
  test('the real one is used when it is the tested version', async () => {
    await symlink(claudeBinary(), join(bin, 'claude'));
    expect(await findClaude(source)).toBe(join(bin, 'claude'));
  });

  test('a script is used when it is the wanted version', async () => {
    const interpreter = await script(join(bin, 'my-interpreter'), `#!/bin/sh\necho '3.2.1 (Claude Code)'\n`);
    const path = await script(join(bin, 'claude'), `#!/usr/bin/env ${interpreter.split('/').at(-1)}\n`);
    expect(await findClaude({ ...source, version: '3.2.1' })).toBe(path);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['another version', () => script(join(bin, 'claude'), says('3.2.10'))],
    ['no version', () => script(join(bin, 'claude'), '#!/bin/sh\nexit 1\n')],
    ['a folder of that name', () => mkdir(join(bin, 'claude'))],
  ])('%s is passed over', async (_, put) => {
    await put();
    const cached = await script(
      join(source.toolCache!, 'claude-code/3.2.1', process.arch, 'claude'),
      says('3.2.1'),
    );
    expect(await findClaude({ ...source, version: '3.2.1' })).toBe(cached);
  });
});

test.each(['latest', '^2.1.0', '2.1', '2.1.0; rm -rf /', '../2.1.0'])(
  'version %s is none',
  async (version) => {
    const error = await refusal({ version });
    expect(error).toMatchObject({
      reason: 'invalid_input',
      message: expect.stringContaining('`claude_code_version`'),
    });
  },
);

describe('installed by npm', () => {
  const publish = (...published: Published[]) => startRegistry(root, published);
  const output = (path: string) => execFileSync(path, { encoding: 'utf8' }).trim();

  test('from the registry that the job names, once: the next run finds it in the tool cache', async () => {
    await using registry = await publish({ version: '9.8.7', script: says('9.8.7') });
    const wanted = { ...source, version: '9.8.7', job: job(registry.url) };
    const path = await findClaude(wanted);
    expect(path).toBe(join(source.toolCache!, 'claude-code/9.8.7', process.arch, 'claude'));
    expect(output(path)).toBe('9.8.7 (Claude Code)');
    const requests = registry.asked.length;
    expect(registry.asked[0]).toMatch(
      new RegExp(`^/@anthropic-ai/claude-code-${process.platform}-${process.arch}`),
    );

    expect(await findClaude(wanted)).toBe(path);
    expect(registry.asked).toHaveLength(requests);
  });

  test("with npm's own configuration, for example the token of a company's registry", async () => {
    await using registry = await startRegistry(
      root,
      [{ version: '9.8.7', script: says('9.8.7') }],
      'company-token',
    );
    const login = `//${new URL(registry.url).host}/:_authToken=\${NODE_AUTH_TOKEN}\n`;
    await writeFile(join(root, 'home/.npmrc'), login);
    const withToken = { ...job(registry.url), NODE_AUTH_TOKEN: 'company-token' };
    expect(output(await findClaude({ ...source, version: '9.8.7', job: withToken }))).toContain('9.8.7');
  });

  test('the checkout has no say in where it comes from', async () => {
    await using registry = await publish({ version: '9.8.7', script: says('9.8.7') });
    await writeFile(join(source.directory, '.npmrc'), 'registry=http://127.0.0.1:9\n');
    const { npm_config_registry: _, ...withoutRegistry } = job();
    await writeFile(join(root, 'home/.npmrc'), `registry=${registry.url}\n`);
    expect(output(await findClaude({ ...source, version: '9.8.7', job: withoutRegistry }))).toContain(
      '9.8.7',
    );
  });

  test('where there is no tool cache, or none that can be written, it stays in scratch', async () => {
    await using registry = await publish({ version: '9.8.7', script: says('9.8.7') });
    const notAFolder = await script(join(root, 'file'), '');
    for (const toolCache of [null, notAFolder]) {
      const path = await findClaude({ ...source, version: '9.8.7', job: job(registry.url), toolCache });
      expect(path.startsWith(source.scratch)).toBe(true);
      expect(output(path)).toContain('9.8.7');
    }
  });

  test('two at once do not harm each other, and nothing half-made is left', async () => {
    await using registry = await publish({ version: '9.8.7', script: says('9.8.7') });
    const wanted = { ...source, version: '9.8.7', job: job(registry.url) };
    const paths = await Promise.all([findClaude(wanted), findClaude(wanted)]);
    expect(paths.map(output)).toEqual(['9.8.7 (Claude Code)', '9.8.7 (Claude Code)']);
    expect(new Set(paths).size).toBe(1);
    expect(await readdir(join(source.toolCache!, 'claude-code/9.8.7'))).toEqual([process.arch]);
  });

  test.each<[string, Published, RegExp]>([
    [
      'a tarball that is not what the registry promised',
      { version: '9.8.7', script: says('9.8.7'), integrity: `sha512-${Buffer.alloc(64).toString('base64')}` },
      /EINTEGRITY/,
    ],
    [
      'a package without the executable',
      { version: '9.8.7', script: null },
      /the package holds no executable/,
    ],
    [
      'the tested version with other bytes',
      { version: testedVersion, script: says(testedVersion) },
      /does not have the expected SHA-256 checksum/,
    ],
  ])('%s is refused, and not kept', async (_, published, message) => {
    await using registry = await publish(published);
    const error = await refusal({ version: published.version, job: job(registry.url) });
    expect(error.message).toMatch(message);
    expect(await readdir(source.toolCache!)).toEqual([]);
  });

  test('a version that does not exist is asked for once, and the error says what and where', async () => {
    await using registry = await publish({ version: '9.8.7', script: says('9.8.7') });
    const error = await refusal({ version: '1.0.0', job: job(registry.url) });
    expect(error.message).toMatch(/^Claude Code 1\.0\.0 could not be installed: code ETARGET/);
    expect(error.message).toContain('@1.0.0');
    expect(error.message).not.toContain(root);
    expect(error.remedy).toContain('`claude_code_version`');
    expect(registry.asked).toHaveLength(1);
  });

  test('a registry that is down: the error names the input that does without it', async () => {
    const registry = await publish();
    await registry[Symbol.asyncDispose]();
    const error = await refusal({ version: '9.8.7', job: job(registry.url) });
    expect(error.message).toMatch(/code ECONNREFUSED.*request to http/);
    expect(error.remedy).toContain('`path_to_claude_code_executable`');
  });

  test('no npm: the same', async () => {
    const error = await refusal({ job: { PATH: bin } });
    expect(error.message).toMatch(/there is no `npm` on PATH/);
    expect(error.remedy).toContain('`path_to_claude_code_executable`');
  });

  test('an npm that fails for a moment is asked again', async () => {
    await using registry = await publish({ version: '9.8.7', script: says('9.8.7') });
    const environment = job(registry.url);
    const npm = environment
      .PATH!.split(delimiter)
      .map((folder) => join(folder, 'npm'))
      .find(existsSync)!;
    await script(
      join(bin, 'npm'),
      `#!/bin/sh\nif [ -e '${root}/failed' ]; then exec '${npm}' "$@"; fi\ntouch '${root}/failed'\nexit 1\n`,
    );
    expect(output(await findClaude({ ...source, version: '9.8.7', job: environment }))).toContain('9.8.7');
  });
});

test("the pinned version and checksums are those of the installed Agent SDK's manifest", () => {
  const path = new URL('../../node_modules/@anthropic-ai/claude-agent-sdk/manifest.json', import.meta.url);
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as {
    version: string;
    platforms: Record<string, { checksum: string }>;
  };
  const checksums = Object.entries(manifest.platforms).map(([name, { checksum }]) => [name, checksum]);
  expect(pinned).toEqual({ version: manifest.version, checksums: Object.fromEntries(checksums) });
});

test('the one that came with us is taken for the tested version only', async () => {
  expect(await claudeOfOurs(null)).toBe(claudeBinary());
  expect(await claudeOfOurs(testedVersion)).toBe(claudeBinary());
  expect(await claudeOfOurs('1.2.3')).toBeNull();
});
