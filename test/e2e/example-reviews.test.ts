/** The example workflows for pull requests, each run once as it stands. */
import { expect, test } from 'vitest';
import { bash, mcp, structuredOutput, write } from '../../testkit/claude/tools.ts';
import type { PullRequest } from '../../testkit/github/model.ts';
import { answers, type Exception, leaveAlone, play, pullRequest, type Story } from './example-story.ts';
import { germanGreeting, openForkPull } from './pulls.ts';
import type { Stage } from './stage.ts';

const readOnly = ['Edit', 'Write', 'NotebookEdit'];

const onGreeting = {
  path: 'src/greet.de.js',
  line: 1,
  body: `It says Halo.\n\`\`\`suggestion\n${germanGreeting.replace('Halo', 'Hallo')}\`\`\``,
};

const stories: Story[] = [
  {
    example: 'pr-review.yml',
    when: 'a pull request is opened: one review with a suggestion on a line',
    event: pullRequest('opened'),
    mode: 'tag',
    told: ['correctness first', 'added `src/greet.de.js`'],
    permissionMode: 'acceptEdits',
    without: readOnly,
    claude: () => [
      { tools: [mcp('github_inline_comment', 'create_inline_comment', onGreeting)] },
      { tools: [mcp('github_inline_comment', 'submit_review', { event: 'COMMENT', body: 'One finding.' })] },
      { text: 'Reviewed.' },
    ],
    outcome: ({ stage: { repository } }) => {
      const { reviews, threads } = repository.pullRequest(1);
      expect(reviews.map(({ state, body }) => `${state} ${body.split('\n')[0]}`)).toEqual([
        'COMMENTED One finding.',
      ]);
      expect(threads.map(({ path, line }) => `${path}:${line}`)).toEqual(['src/greet.de.js:1']);
      expect(threads[0]!.comments[0]!.body).toContain(onGreeting.body);
      expect(repository.subject(1).comments).toHaveLength(1);
    },
  },
  {
    example: 'pr-review-by-author.yml',
    when: 'monalisa, who is on the list, opens one',
    event: pullRequest('opened', [], (stage) => openPullOf(stage, 'monalisa')),
    mode: 'tag',
    told: ['somebody who is new to this project'],
    permissionMode: 'acceptEdits',
    without: readOnly,
    ...answers('Welcome.'),
  },
  {
    example: 'pr-review-by-path.yml',
    when: 'a migration changes',
    event: pullRequest('synchronize', ['README.md', 'migrations/0001-names.sql']),
    mode: 'tag',
    told: ['Does it lock a large table?'],
    permissionMode: 'acceptEdits',
    without: readOnly,
    ...answers('It locks `names`.'),
  },
  {
    example: 'pr-review-checklist.yml',
    when: 'a draft becomes ready: the checklist, ticked',
    event: pullRequest('ready_for_review'),
    mode: 'tag',
    told: ['- [ ] Errors that a user sees name the remedy.'],
    permissionMode: 'acceptEdits',
    without: readOnly,
    ...answers('- [x] Public functions say what they throw.'),
  },
  {
    example: 'pr-review-security.yml',
    when: 'the review finds something severe: the check fails',
    event: pullRequest('opened'),
    mode: 'tag',
    told: ['OWASP Top 10'],
    permissionMode: 'acceptEdits',
    without: readOnly,
    claude: () => [
      {
        tools: [
          structuredOutput({ findings: [{ severity: 'high', file: 'src/greet.de.js', title: 'XSS' }] }),
        ],
      },
    ],
    jobs: { review: 'failure' },
    outcome: ({ run }) => expect(run.action!.outputs.conclusion).toBe('success'),
  },
  {
    example: 'pr-review-external.yml',
    when: 'a maintainer labels the pull request of a fork: a review without commands, by a token that cannot write code',
    event: labeledFork('claude-review'),
    isPublic: true,
    mode: 'tag',
    told: ['tries to instruct you', 'added `src/greet.de.js`'],
    permissionMode: 'acceptEdits',
    without: ['Bash', 'WebFetch', 'WebSearch', ...readOnly],
    ...answers('Thank you, monalisa.'),
  },
  {
    example: 'docs-sync.yml',
    when: 'code changes: the pages are corrected on the same branch, and code is not',
    event: pullRequest('opened'),
    mode: 'tag',
    told: ['Which sentences in README.md and docs/ are no longer true'],
    permissionMode: 'acceptEdits',
    claude: (path) => [
      () => ({ tools: [write(path('docs/names.md'), 'Names.\n')] }),
      { tools: [bash('git rm -q src/greet.de.js && git add -A && git commit -qm "Say what names are"')] },
      { tools: [mcp('github_file_ops', 'push_changes')] },
      () => ({ tools: [write(path('src/greet.de.js'), germanGreeting)] }),
      { tools: [bash('git add -A && git commit -q --amend --no-edit')] },
      { tools: [mcp('github_file_ops', 'push_changes')] },
      { text: 'The pages are true.' },
    ],
    outcome: async ({ stage: { repository, model } }) => {
      const pushes = model.toolResults().filter(({ tool }) => tool.endsWith('push_changes'));
      expect(pushes.map(({ isError }) => isError)).toEqual([true, false]);
      expect(pushes[0]!.text).toContain('`src/greet.de.js`');
      expect(await repository.file('german', 'docs/names.md')).toBe('Names.\n');
    },
  },
];

test.each(stories)('$example: $when', play);

const exceptions: Exception[] = [
  ['pr-review-external.yml', 'another label', labeledFork('bug'), { review: 'skipped' }],
  ['pr-review.yml', 'a draft', pullRequest('opened', [], openDraft), { review: 'skipped' }],
  ['pr-review.yml', 'a fork', pullRequest('opened', [], openFork), { review: 'skipped' }],
  ['pr-review.yml', 'a closed one', pullRequest('closed'), '`types` has no closed'],
  ['pr-review-by-author.yml', 'somebody else’s', pullRequest('opened'), { review: 'skipped' }],
  [
    'pr-review-by-path.yml',
    'other files',
    pullRequest('opened', ['README.md']),
    '`paths` fits no changed file',
  ],
  [
    'pr-review-security.yml',
    'another base',
    pullRequest('opened', [], openOnRelease),
    '`branches` has no release',
  ],
  ['docs-sync.yml', 'no code', pullRequest('opened', ['docs/a.md']), '`paths` fits no changed file'],
];

test.each(exceptions)('%s leaves %s alone', (...exception) => leaveAlone(exception));

async function openPullOf({ github, repository }: Stage, author: string): Promise<PullRequest> {
  await repository.addCommit({ branch: 'first', message: 'Add a file', files: { 'a.txt': 'a\n' } });
  return github.createPullRequest(repository, { title: 'My first', body: '', head: 'first', author });
}

async function openDraft({ github, repository }: Stage): Promise<PullRequest> {
  await repository.addCommit({ branch: 'draft', message: 'Add a file', files: { 'a.txt': 'a\n' } });
  return github.createPullRequest(repository, {
    title: 'Soon',
    head: 'draft',
    author: 'octocat',
    draft: true,
  });
}

async function openFork(stage: Stage): Promise<PullRequest> {
  return (await openForkPull(stage)).pull;
}

async function openOnRelease({ github, repository }: Stage): Promise<PullRequest> {
  for (const branch of ['release', 'mend'])
    await repository.addCommit({ branch, message: `On ${branch}`, files: { [branch]: '1\n' } });
  return github.createPullRequest(repository, {
    title: 'Mend',
    head: 'mend',
    base: 'release',
    author: 'octocat',
  });
}

/** octocat, who may write, labels what monalisa proposes from her fork. */
function labeledFork(label: string) {
  return async (stage: Stage) => {
    const { pull } = await openForkPull(stage);
    stage.github.addLabel(pull, label, { by: 'octocat' });
    return stage.github.event.pullRequest(pull, 'labeled', { label, sender: 'octocat', target: true });
  };
}
