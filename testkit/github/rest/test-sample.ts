/** A repository with something of everything, and a note of the routes that were called, for the kit's own tests. */
import { createPrivateKey } from 'node:crypto';
import { importPKCS8, SignJWT } from 'jose';
import type { CreatedApp } from '../credentials.ts';
import type { LocalGitHub } from '../main.ts';
import type { RestAnswer, restClient } from '../test-client.ts';
import { routes } from './routes.ts';

/** Fills `o/r`: issue 1, pull request 2 with reviews, checks, a failed run. */
export async function seed(github: LocalGitHub) {
  const files = {
    'a.txt': 'one\ntwo\n',
    'docs/b c.md': 'b\n',
    'old.txt': 'moved\n'.repeat(20),
    'logo.png': Buffer.from([0, 1, 2, 255]),
  };
  const repository = await github.createRepository({
    owner: 'o',
    name: 'r',
    files,
    collaborators: { ann: 'write' },
  });
  await repository.addCommit({
    branch: 'feature',
    message: 'Change\n\nwhy',
    files: { 'a.txt': 'one\n2\n', 'new.txt': 'moved\n'.repeat(20) },
    deletions: ['old.txt'],
    author: { name: 'Ann', email: '1+ann@users.noreply.github.com' },
  });
  const issue = github.createIssue('o/r', {
    title: 'Issue',
    body: 'text',
    labels: ['bug'],
    assignees: ['ann'],
    milestone: 'v1',
  });
  github.comment(issue, { body: 'hello', author: 'ann' });
  github.comment(issue, { body: 'ghostly', author: null });
  github.addLabel(issue, 'help', { by: 'ann' });
  github.assign(issue, 'carl');
  github.change(issue, { title: 'New title', state: 'closed' });
  const pull = await github.createPullRequest('o/r', {
    title: 'Pull',
    head: 'feature',
    body: '',
    labels: ['bug'],
  });
  github.comment(pull, { body: 'on the pull' });
  const comment = await github.reviewComment(pull, { path: 'a.txt', line: 2, body: 'hm', author: 'ann' });
  await github.reviewComment(pull, { path: 'new.txt', body: 'whole file', author: 'ann' });
  github.reply(comment, { body: 'yes' });
  await github.review(pull, { body: 'fine', state: 'APPROVED', author: 'ann' });
  github.react(issue, 'heart', 'ann');
  github.createCheckRun('o/r', { name: 'test', headSha: pull.head.sha });
  github.createStatus('o/r', { sha: pull.head.sha, state: 'success' });
  const jobs = [
    { name: 'build', log: 'line 1\nline 2\n', steps: [{ name: 'Compile' }], conclusion: 'failure' },
  ];
  github.createWorkflowRun('o/r', {
    name: 'CI',
    headBranch: 'feature',
    headSha: pull.head.sha,
    jobs,
    conclusion: 'failure',
  });
  return { pull, comment };
}

/** Notes which routes of the table a test went through. */
export function recording(called: Set<string>, send: ReturnType<typeof restClient>) {
  return async (method: string, path: string, body?: unknown): Promise<RestAnswer> => {
    const answer = await send(method, path, body);
    const plain = path.split('?')[0]!;
    for (const route of routes) {
      const pattern = new RegExp(
        `^${route.path.replace(/\{(?:path|ref|branch|basehead)\}/g, '.+').replace(/\{\w+\}/g, '[^/]+')}$`,
      );
      if (route.method === method && pattern.test(plain) && answer.status < 400)
        called.add(`${method} ${route.path}`);
    }
    return answer;
  };
}

/** The JWT by which an App signs in. */
export async function signIn(app: CreatedApp): Promise<string> {
  const key = await importPKCS8(
    createPrivateKey(app.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
    'RS256',
  );
  return new SignJWT({})
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(String(app.id))
    .setIssuedAt()
    .setExpirationTime('9m')
    .sign(key);
}
