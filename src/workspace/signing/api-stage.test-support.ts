/** For the tests of commits that GitHub makes: a checkout on its branch, a gate that signs through the API, a local GitHub. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { startGitHub } from '../../../testkit/github/main.ts';
import { createClient } from '../../github/client.ts';
import { Secret } from '../../words/secret.ts';
import { limits } from '../gate/gate.test-support.ts';
import { createGate, type Gate, type GateRequest } from '../gate/gate.ts';
import type { NamedFiles } from '../gate/named-files.ts';
import type { Published } from '../gate/publish.ts';
import { shellGit, shellGitBeside, temporary } from '../local-remote.test-support.ts';

export const files = {
  'a.txt': 'one\n',
  'lib/b.txt': 'two\n',
  'run.sh': '#!/bin/sh\n',
  'dir/c.txt': 'three\n',
};
export const target = { repository: 'octo-org/hello', branch: 'claude/issue-1', isNew: true };
const identity = { name: 'claude[bot]', email: 'claude@example.com' };
export const second = { ...target, branch: 'claude/issue-1-2' };

export async function setStage({
  token = 'actions',
  ...change
}: Partial<GateRequest> & { token?: 'actions' | 'pat' } = {}) {
  const github = await startGitHub();
  const repository = await github.createRepository({ owner: 'octo-org', name: 'hello', files });
  repository.setPermission('octocat', 'write');
  const value = github.token(token === 'pat' ? {} : { kind: 'actions', repositories: ['octo-org/hello'] });
  const root = temporary();
  const directory = join(root, 'checkout');
  await shellGitBeside(root, 'clone', '-q', '--depth=1', `file://${repository.directory}`, directory);
  const base = shellGit(directory, 'rev-parse', 'HEAD');
  shellGit(directory, 'checkout', '-q', '-b', target.branch);
  const { apiUrl, graphqlUrl, serverUrl } = github;
  const policy = { attempts: 3, firstDelayMs: 1, longestWaitMs: 1000, timeoutMs: 10_000 };
  const client = createClient({ apiUrl, graphqlUrl, serverUrl }, async () => value, policy);
  const signing = { by: 'github', client } as const;
  const gate = await createGate({
    ...{ workspace: directory, scratch: join(root, 'scratch'), branch: target.branch, base, limits, signing },
    ...{ targets: [target, second], neverTo: [{ ...target, branch: 'main' }] },
    ...change,
  });
  const publish = (
    given: { through?: Gate; to?: typeof target; leftovers?: boolean; named?: NamedFiles } = {},
  ) => {
    const to = given.to ?? target;
    const remote = { url: `${serverUrl}/${to.repository}.git`, token: new Secret(value) };
    const { named } = given;
    const leftovers = given.leftovers || named ? { message: 'By the host\n', identity, named } : null;
    return (given.through ?? gate).publish({ target: to, remote, leftovers });
  };
  return {
    ...{ github, repository, directory, base, gate, publish, signing },
    /** Trees, messages and shapes of both sides: ids apart they must be equal. */
    expectSame: async (mine: string, { sha }: Published) => {
      const shape = (place: string, tip: string) =>
        shellGit(place, 'log', '--topo-order', '--format=%T %B', tip, `^${base}`).replace(/\n+/g, '\n');
      expect(shape(repository.directory, sha)).toBe(shape(directory, mine));
      expect(repository.tip(target.branch)).toBe(sha);
    },
    unverified: (tip: string) =>
      shellGit(repository.directory, 'rev-list', tip, `^${base}`)
        .split('\n')
        .filter((sha) => !repository.verified(sha)),
    [Symbol.asyncDispose]: github.close,
  };
}
