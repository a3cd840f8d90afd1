/** Faults that an action of this kind can have, each with the test that shows ours free of it, or the page that says why not. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { expectProof, type Proof } from './proof.ts';

/** By the number in the list of known faults: what ours does, in one sentence, and where that is shown. */
const flaws: Record<string, { ours: string; shown: Proof[] }> = {
  A1: {
    ours: 'Whatever ends a run, its comment says how it ended, and its token is revoked.',
    shown: [
      'test/e2e/killed.test.ts: before it knows that its comment is there, post finds the comment and ends it',
      'test/e2e/killed.test.ts: with a token of an App, post ends the comment as that App and revokes the token',
      'test/e2e/cancel.test.ts: and main is too slow, so that it is killed, post saves the work, says it, and revokes the token',
      'test/e2e/github-down.test.ts: for the thread, the comment says so',
      'test/e2e/bad-checkout.test.ts: a workspace that Claude cannot work in:',
    ],
  },
  A2: {
    ours: 'What called Claude is always in the prompt: text, path, line, hunk, the whole review, images.',
    shown: [
      'test/e2e/reviews.test.ts: a review that calls brings its comments on lines along',
      'test/e2e/reviews.test.ts: a call on a line is answered in its thread, and Claude sees path, line and hunk',
      'test/e2e/context.test.ts: Claude sees the screenshot of who calls it, with the fence %s',
      'src/context/images.test.ts: comes first, with the text that the event has',
      'src/context/filter.test.ts: has the event’s text, whatever happened to it since',
    ],
  },
  A3: {
    ours: 'Work goes to the task’s branch, in the repository that the branch is in, and nowhere else.',
    shown: [
      'test/e2e/forks.test.ts: a fork’s branch called `main` is never the base’s `main` (maintainers may edit: %s)',
      'test/e2e/forks.test.ts: where maintainers may edit and the token may push, the work goes to the fork',
      'src/engine/branch-plan.test.ts: of a fork’s branch that is called like one of ours, not editable: a new one',
      'src/engine/publish.test.ts: somebody has it, still without commits',
      'src/workspace/gate/gate.test.ts: the default branch',
      'src/workspace/gate/gate.test.ts: a target that is also the default branch stays forbidden',
      'test/e2e/signed-commits.test.ts: with `ssh_signing_key` all that is published is signed, and neither Claude nor a later step sees a trace',
      'test/e2e/agent-mode.test.ts: a prompt on `%s` is sent as it is; no comment, no branch, nothing to sign',
      'docs/migrating.md: a `prompt` alone has no branch',
    ],
  },
  A4: {
    ours: 'Work is published or kept as a patch, and nobody else’s is undone.',
    shown: [
      'test/e2e/work-left.test.ts: what is committed or not, ignored or secret, is each dealt with as it should',
      "test/e2e/follow-ups.test.ts: a permitted mention reaches it, a stranger's reaches nobody, and a label waits its turn",
      'test/e2e/follow-ups.test.ts: what it could not take in is done by its own run afterwards, on top of what was pushed',
      'test/e2e/git-failures.test.ts: goes to a branch of its own when somebody pushed to the pull request meanwhile',
      'test/e2e/git-failures.test.ts: with a token that may not write names the permission, and the work is kept as a patch',
      'src/workspace/gate/leftovers.test.ts: commits leftovers: changed, new, deleted, executable, linked; not what is ignored',
      'test/e2e/signed-commits.test.ts: with `use_commit_signing` GitHub makes what Claude names: modes, links, binaries, deletions; refusals can be repaired',
      'test/e2e/signed-commits.test.ts: what others push meanwhile stays: Claude’s commit goes on top, and what conflicts to a branch of its own',
      'src/workspace/gate/named-files.test.ts: the named files are published, and the checkout is at that commit',
    ],
  },
  A5: {
    ours: 'Every page of a thread is read; what has no room is counted.',
    shown: [
      'test/e2e/context.test.ts: of 230 comments every one is in the prompt',
      'test/contract/large-pull-request.test.ts: of a huge one each page is read once, the prompt keeps to its budget, and all the rest can be had',
      'src/context/fetch.test.ts: a pull request with 250 files and 40 long threads arrives whole, and no page is asked for twice',
      'test/contract/prompt.test.ts: the budget holds, and what it leaves out is counted',
      'src/report/comment.test.ts: it is found over all pages, of the same workflow and job, and by our own login alone',
    ],
  },
  A6: {
    ours: 'Comments on lines are held in the run’s own memory and posted as one review of its own pull request.',
    shown: [
      'src/engine/review/review-post.test.ts: all of it is one review, on the commit that Claude saw',
      'src/engine/rescue/rescue-checks.test.ts: post does not review %s',
      'test/e2e/inline-reviews.test.ts: three reviews of one pull request say each thing once',
    ],
  },
  A7: {
    ours: 'MCP configurations of the caller are merged with ours, from files too.',
    shown: [
      'src/claude/options.test.ts: several configurations, inline and in files, are merged; the later one wins',
      'src/claude/options.test.ts: our own servers are there, in the first request, and no configuration replaces them',
      'test/e2e/given-configuration.test.ts: plugins, MCP servers from a file and inline, settings, and the nearer of two models',
    ],
  },
  A8: {
    ours: '`claude_args` are read as words of a command line, without expansion, and what is unknown is named.',
    shown: [
      'src/claude/argv.test.ts: a # inside a quoted value of several lines stays',
      'src/claude/argv.test.ts: a dollar sign is a dollar sign',
      'src/claude/argv.test.ts: an empty value stays',
      'src/claude/arguments.test.ts: values by space and by =',
      'src/claude/arguments.test.ts: a known flag takes a value that begins with dashes',
      'src/claude/arguments.test.ts: unknown flags are passed on with a warning',
    ],
  },
  A9: {
    ours: 'Outgoing text keeps its bytes; only secrets are taken out.',
    shown: [
      'test/contract/outgoing.test.ts: a suggestion: %s',
      'src/report/review.test.ts: byte for byte: %j',
    ],
  },
  A10: {
    ours: 'What readers do not see does not arrive, nothing leaves its markers, and scripts are unharmed.',
    shown: [
      'test/contract/hostile.test.ts: %s: stands between markers wherever it stands',
      'test/contract/hostile.test.ts: %s: does not arrive, and the words around it do',
      'test/contract/hostile.test.ts: %s: unharmed in every text, line and name',
    ],
  },
  A11: {
    ours: 'For a label or an assignment the text of the issue is material; a mention is a word of its own.',
    shown: [
      'test/e2e/context.test.ts: a slash command in a stranger’s issue does not run when a maintainer puts the label on',
      'src/prompt/build.test.ts: %s: nobody’s text is a request, not even one that mentions the phrase',
      'docs/migrating.md: mentions in code and quotes are',
    ],
  },
  A12: {
    ours: 'No GitHub credential is in Claude’s reach, secrets are redacted everywhere, and what is installed is verified.',
    shown: [
      'test/e2e/secrets.test.ts: with the layout of actions/checkout %s no command of Claude finds a GitHub credential',
      'test/e2e/secrets.test.ts: what Claude says of a key arrives as ***, wherever it says it',
      'test/e2e/secrets.test.ts: a token that Claude has from elsewhere does not leave in a commit',
      'test/e2e/runner-left-alone.test.ts: the log shows neither the prompt nor the settings',
      'src/claude/executable.test.ts: a tarball that is not what the registry promised',
    ],
  },
  A13: {
    ours: 'Nothing of a pull request’s checkout configures Claude Code, at any depth and for any event; its files stay.',
    shown: [
      'test/e2e/trusted-configuration.test.ts: a mention: the base is in force, nothing of the pull request is, and what differs is told',
      'test/e2e/trusted-configuration.test.ts: a prompt of the workflow in a `workflow_run` that has checked out what a stranger proposes',
      'test/e2e/trusted-configuration.test.ts: a prompt on a comment, and a base without configuration: GitHub is asked for the base, nothing is loaded',
      'src/workspace/trusted/trusted-config.test.ts: of directories below the root is told apart, their skills by where they are',
    ],
  },
  A14: {
    ours: 'History is deepened until the merge base is there.',
    shown: [
      'test/e2e/pull-requests.test.ts: more commits than any default depth, on a base that has gone on, still have their merge base',
      'src/workspace/start-checkouts.test.ts: %s becomes the pull request’s head, with a diff that needs no network',
    ],
  },
  A15: {
    ours: 'A run with a prompt shows its answer in the summary, and in a comment where that is asked for, one for all pushes if you like.',
    shown: [
      'test/e2e/agent-mode.test.ts: a review of each push keeps to one comment, which Claude may write where its tool is allowed',
      'src/report/step-summary.test.ts: success: what was decided, what Claude said, and where the work is',
      'test/e2e/agent-mode.test.ts: a comment is written where it is asked for',
      'test/e2e/agent-mode.test.ts: with `track_progress` it works as if mentioned, with the prompt as instructions',
      'test/e2e/agent-mode.test.ts: what asks for a comment where there is nothing to comment on is a warning that says where the answer is',
    ],
  },
  A16: {
    ours: 'A failure says what happened and what to do, in Claude’s own words too; outputs are set on every path.',
    shown: [
      'test/e2e/claude-failures.test.ts: ends at once, its own last words are told',
      'test/e2e/model-failures.test.ts: refuses the key, the run stops at the first answer',
      'test/e2e/limits.test.ts: --max-turns',
      'src/action/job.test.ts: RUNNER_DEBUG=%s',
    ],
  },
  A17: {
    ours: 'What passes is tried again, and time, turns and money have limits.',
    shown: [
      'test/e2e/model-failures.test.ts: is overloaded for a moment, the run goes on',
      'test/e2e/limits.test.ts: timeout_minutes',
      'test/e2e/limits.test.ts: max_budget_usd',
      'test/e2e/github-faults.test.ts: the recorded runs comment, read, react, fetch and push',
      'src/claude/process.test.ts: ends also what ignores the polite signal',
      'test/e2e/providers.test.ts: the job’s identity is exchanged for the model’s credential, and nothing of it stays',
    ],
  },
  A18: {
    ours: 'Tokens are renewed while the run lasts, and the checkout gets its own credentials and settings back.',
    shown: [
      'test/e2e/authentication.test.ts: a token that runs out while Claude works is replaced, and all of them are revoked',
      'src/workspace/workspace.test.ts: takes credentials, helpers, includes and hooks of the checkout away for the run and puts them back',
      'test/e2e/later-steps.test.ts: pushes with the credential of actions/checkout after main %s',
      'test/e2e/signed-commits.test.ts: with `ssh_signing_key` all that is published is signed, and neither Claude nor a later step sees a trace',
    ],
  },
  A19: {
    ours: 'Commits are by the token’s own login, and the co-author is the one who asked, on the server that is worked on.',
    shown: [
      'test/e2e/mention.test.ts: a mention on an issue becomes a branch with a commit, told in one comment',
      'src/workspace/signing/api-commits.test.ts: plain files become verified commits by one mutation each, on a branch that is made for them',
      'src/prompt/build.test.ts: the co-author’s address is of the server that is worked on',
      'src/prompt/build.test.ts: without an id there is no trailer, as it would name somebody else',
    ],
  },
  A20: {
    ours: 'A sticky comment is found by its author and by the workflow and job in its marker.',
    shown: [
      'test/e2e/reviews.test.ts: the sticky comment is used again by the same workflow and job, and by no other',
      'src/report/comment.test.ts: it is found over all pages, of the same workflow and job, and by our own login alone',
      'docs/migrating.md: its edit history keeps the earlier report',
    ],
  },
  A21: {
    ours: 'Any event runs with a prompt, a discussion is answered there, and a mention in a pull request’s text counts.',
    shown: [
      'test/e2e/discussions.test.ts: the answer to a discussion is a comment there, which does not call again',
      'test/e2e/agent-mode.test.ts: a prompt on `%s` is sent as it is; no comment, no branch, nothing to sign',
      'test/e2e/issues.test.ts: a label, an assignment, a new issue and an edit can all call Claude',
      "docs/migrating.md: a mention in a pull request's body",
    ],
  },
  A22: {
    ours: 'CI tools see checks of every kind, count every failure, know `workflow_run`, and find lines in logs.',
    shown: [
      'src/engine/answers/ci-answers.test.ts: counts each check once, every way to fail as failed, and leaves out the run that asks',
      'src/engine/answers/ci-answers.test.ts: all pages of each list, bounded in size',
      'src/engine/answers/ci-answers.test.ts: lines with their numbers, between markers that the log cannot close; all of it in a file',
      'src/engine/answers/ci-answers.test.ts: the tools are there when a commit is known',
      'docs/ci.md: Patterns are for `Grep` on the file',
    ],
  },
  A23: {
    ours: 'There is no install step, Claude Code is cached, and an event that is not for Claude costs no request.',
    shown: [
      'test/contract/action-yml.test.ts: main and post are the built bundles, and post always runs',
      'src/claude/executable.test.ts: from the registry that the job names, once: the next run finds it in the tool cache',
      'test/e2e/not-for-claude.test.ts: ends green without a request, whatever else is wrong:',
    ],
  },
  A24: {
    ours: 'GitHub’s MCP server runs from an image that is pinned by its digest, apart from Claude; without Docker a warning says what there is instead.',
    shown: [
      'src/mcp/github.test.ts: the token is in its environment, and no value is among its arguments',
      'test/e2e/github-mcp.test.ts: the tools that are allowed work as the run’s own identity, and their answers are material',
      'test/e2e/github-mcp.test.ts: without Docker a warning says what to do instead, and the run goes on',
      'test/e2e/github-mcp.test.ts: when main is killed, post removes the container',
    ],
  },
  A25: {
    ours: 'Addresses are those of the server that runs the job, in links, commits, images and tokens alike.',
    shown: [
      // There once in the shape of github.com, once on an Enterprise Server; `npm run test:ghes` plays all stories on one.
      'test/e2e/mention.test.ts: a mention on an issue becomes a branch with a commit, told in one comment',
      'src/prompt/build.test.ts: the co-author’s address is of the server that is worked on',
      'src/github/attachments.test.ts: what is an attachment',
      'docs/migrating.md: GitHub Enterprise Server',
    ],
  },
  A26: {
    ours: 'Provider variables pass as they are, none is set to an empty string, and no static key is asked for.',
    shown: [
      'src/claude/environment.test.ts: values pass as they are; unset and empty ones stay unset, as some credential chains break on an empty one',
      'src/claude/credential.test.ts: cloud credential chains are left alone: no static key is asked for, none is removed',
      'test/contract/claude-environment.test.ts: nothing is ever empty',
      'src/claude/providers.test.ts: %s is asked with what the job has; its no ends the run at once',
    ],
  },
  A27: {
    ours: 'Changed files are listed with kind and size as GitHub counts them, and nothing that is computed from the checkout.',
    shown: ['test/contract/prompt.test.ts: pull-request-mention-in-comment'],
  },
  A28: {
    ours: 'Text that is too long for a comment goes on in further ones.',
    shown: [
      'test/e2e/work-left.test.ts: words longer than a comment go on below it',
      'test/contract/comment.test.ts: a text that is too long goes on in further comments, with its code fence closed and opened again',
    ],
  },
  A29: {
    ours: 'One tested version of Claude Code belongs to a release; another is an exact version by input.',
    shown: [
      "src/claude/executable.test.ts: the pinned version and checksums are those of the installed Agent SDK's manifest",
      'src/claude/executable.test.ts: version %s is none',
      'docs/migrating.md: `claude_code_version`',
    ],
  },
  A30: {
    ours: 'Runs of one thread take turns, and a mention reaches the one that is at work; nothing that is pushed meanwhile is undone.',
    shown: [
      'test/e2e/git-failures.test.ts: goes to a branch of its own when somebody pushed to the pull request meanwhile',
      'test/e2e/git-failures.test.ts: goes to another name when somebody took the branch meanwhile, and the comment says so',
      'src/engine/publish.test.ts: on a pull request: the second one’s work goes beside it, and neither undoes the other',
      'docs/migrating.md: needs no `concurrency` group',
    ],
  },
  A31: {
    ours: 'Processes of a run do not outlive it, and the runner’s own settings stay as they are.',
    shown: [
      'test/e2e/runner-left-alone.test.ts: the runner’s own settings of Claude Code stay as they are, with `sandbox: %s`',
      'test/e2e/killed.test.ts: while Claude works with `sandbox: %s`, post rescues what was committed and what was not, and nothing that Claude started is left',
      'src/claude/plugins.test.ts: plugins of a marketplace in the checkout are copied into the run’s own directory, the machine’s stays empty',
      'src/workspace/start.test.ts: a fork whose branch is called main never becomes the local main',
      'test/e2e/context.test.ts: Claude sees the screenshot of who calls it, with the fence %s',
      'src/claude/plugins.test.ts: plugins of a marketplace in the checkout are copied into the run’s own directory, the machine’s stays empty',
    ],
  },
  A32: {
    ours: 'The framing of a prompt is small, and code that nothing uses does not pass the linter.',
    shown: [
      'test/contract/prompt.test.ts: for a simple issue the framing is under 6 KB',
      'test/contract/architecture.test.ts: no barrels: no file only re-exports',
    ],
  },
};

const page = readFileSync('docs/migrating.md', 'utf8').replace(/\s+/g, ' ');

test('every known fault is there', () => {
  expect(Object.keys(flaws)).toEqual(Array.from({ length: 32 }, (_, index) => `A${index + 1}`));
});

describe.each(Object.entries(flaws))('%s', (_, { ours, shown }) => {
  test('docs/migrating.md says what ours does', () => {
    expect(page).toContain(`| ${ours} |`);
  });

  test.each(shown)(`${ours} %s`, (proof) => {
    expectProof(proof);
  });
});
