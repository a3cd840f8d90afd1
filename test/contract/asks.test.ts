/** What users of such actions ask for, each with the tests that show it here, or the page that gives the reason for a no. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { expectProof, type Proof } from './proof.ts';

/** By the number in the list of asks: the questions of docs/faq.md that answer it, and where that is shown. */
const asks: Record<string, { asked: string[]; shown: Proof[] }> = {
  B1: {
    asked: ['Does it work with forks and outside contributors?'],
    shown: [
      'test/e2e/access.test.ts: a person without write access is refused: green, explained to the owner, silent in the thread',
      'test/e2e/access.test.ts: `allowed_non_write_users` lets a person in with `github_token`, and not with an App',
      'test/e2e/forks.test.ts: where maintainers may edit and the token may push, the work goes to the fork',
      'test/e2e/forks.test.ts: where the token may not push to the fork, the work goes to a branch here, with a link',
      'docs/recipes.md: is the consent of somebody with write access',
    ],
  },
  B2: {
    asked: ['Where is the answer to a `prompt`?'],
    shown: [
      'test/e2e/agent-mode.test.ts: a comment is written where it is asked for',
      'test/e2e/agent-mode.test.ts: the answer is an output, and in the comment where one is asked for',
      'test/e2e/examples.test.ts: somebody asks in the Actions tab: the answer is in the summary',
    ],
  },
  B3: {
    asked: ['Can it use one comment instead of many, and say nothing twice?'],
    shown: [
      'test/e2e/inline-reviews.test.ts: three reviews of one pull request say each thing once',
      'test/e2e/reviews.test.ts: the sticky comment is used again by the same workflow and job, and by no other',
      'src/report/comment.test.ts: it is found over all pages, of the same workflow and job, and by our own login alone',
    ],
  },
  B4: {
    asked: ['Does the next review know what is new and what is settled?'],
    shown: [
      'test/e2e/inline-reviews.test.ts: three reviews of one pull request say each thing once',
      'docs/reviews.md: Claude is told which commit the last one covered',
    ],
  },
  B5: {
    asked: ['Can it open the pull request?'],
    shown: [
      'test/e2e/issues.test.ts: with `create_pull_request: %s` the work ends in one, described by Claude or else by the template and its last words',
    ],
  },
  B6: {
    asked: ['Can I limit what it costs, and see it?'],
    shown: [
      'test/e2e/limits.test.ts: max_budget_usd, which the last answer may go over',
      'test/e2e/limits.test.ts: timeout_minutes, in the middle of a tool call',
      'docs/action.md: `cost_usd`, `num_turns`, `input_tokens`, `output_tokens` and `duration_ms` for later steps',
      'docs/faq.md: How much of a Claude subscription is left: no,',
    ],
  },
  B7: {
    asked: ['Can a run hang?'],
    shown: [
      'test/e2e/limits.test.ts: timeout_minutes, in the middle of a tool call',
      'test/e2e/claude-failures.test.ts: ends at once, its own last words are told',
      'test/e2e/github-down.test.ts: and asks for a longer wait than a job can afford, the run says how long',
      'src/claude/session.test.ts: an abort carries its reason and leaves no process',
      'src/mcp/github.test.ts: an image that does not arrive is not waited for when the run is over',
    ],
  },
  B8: {
    asked: ['Why did it fail?'],
    shown: [
      'test/e2e/model-failures.test.ts: refuses the key, the run stops at the first answer',
      'test/e2e/bad-input.test.ts: inputs that contradict each other or cannot be read are named before anybody is asked:',
      'test/e2e/runner-left-alone.test.ts: the log shows neither the prompt nor the settings',
      'src/report/step-summary.test.ts: failure: why, what to do, what was kept, and what else to know',
      'docs/troubleshooting.md: and so does a re-run with debug logging',
    ],
  },
  B9: {
    asked: ['Is red really red, and green green?'],
    shown: [
      'test/e2e/git-failures.test.ts: to a protected branch fails with the words of the server, and the work is kept as a patch',
      'test/e2e/claude-failures.test.ts: is killed in mid-turn, the work so far is saved and the crash is told',
      'test/e2e/agent-mode.test.ts: an answer in no form is a failure',
      'test/e2e/not-for-claude.test.ts: ends green without a request, whatever else is wrong:',
      'test/e2e/killed.test.ts: before it has commented, nothing is left behind',
    ],
  },
  B10: {
    asked: ['Does it run on push, on a release, by the calendar, on discussions?'],
    shown: [
      'test/e2e/agent-mode.test.ts: a prompt on `%s` is sent as it is; no comment, no branch, nothing to sign',
      'test/e2e/examples.test.ts: a version is tagged: its notes in a draft of the release',
      'test/e2e/discussions.test.ts: the answer to a discussion is a comment there, which does not call again',
    ],
  },
  B11: {
    asked: ['Does it read all of a large pull request?'],
    shown: [
      'test/contract/large-pull-request.test.ts: of a huge one each page is read once, the prompt keeps to its budget, and all the rest can be had',
      'test/e2e/context.test.ts: what the prompt has no room for can be asked for, as of the call',
    ],
  },
  B12: {
    asked: ['Can work get lost?'],
    shown: [
      'test/e2e/work-left.test.ts: what is committed or not, ignored or secret, is each dealt with as it should',
      'test/e2e/cancel.test.ts: while Claude works, main saves the work, says it, and leaves nothing to post',
      'test/e2e/killed.test.ts: while Claude works on a pull request, post rescues onto its branch',
    ],
  },
  B13: {
    asked: ['Does it see the review that called it, its lines, the screenshot?'],
    shown: [
      'test/e2e/reviews.test.ts: a review that calls brings its comments on lines along',
      'test/e2e/reviews.test.ts: a call on a line is answered in its thread, and Claude sees path, line and hunk',
      'test/e2e/context.test.ts: Claude sees the screenshot of who calls it, with the fence %s',
    ],
  },
  B14: {
    asked: ['Are my MCP servers there?'],
    shown: [
      'test/e2e/given-configuration.test.ts: plugins, MCP servers from a file and inline, settings, and the nearer of two models',
      'test/e2e/github-mcp.test.ts: the tools that are allowed work as the run’s own identity, and their answers are material',
    ],
  },
  B15: {
    asked: [
      'Bedrock, Vertex, Foundry without static keys?',
      'Is the token of my Claude subscription renewed?',
    ],
    shown: [
      'src/claude/credential.test.ts: cloud credential chains are left alone: no static key is asked for, none is removed',
      'test/e2e/model-failures.test.ts: refuses the key, the run stops at the first answer',
      'test/e2e/providers.test.ts: the job’s identity is exchanged for the model’s credential, and nothing of it stays',
      'docs/faq.md: No: it cannot be, without keeping a login that is more than this job needs.',
    ],
  },
  B16: {
    asked: ['May it change workflow files?'],
    shown: [
      'src/workspace/gate/checks.test.ts: protected paths may change when that is allowed',
      'docs/security.md: it changes no `protected_paths`',
    ],
  },
  B17: {
    asked: ['Can it work in several repositories at once?'],
    shown: [
      'docs/faq.md: No. A run holds a token for one repository, and its gate knows the branches of one',
      'test/e2e/authentication.test.ts: an App’s token is narrowed to this repository and these permissions, and revoked at the end',
      'docs/branches.md: Submodules stay at their commits',
    ],
  },
  B18: {
    asked: ['Is there live progress on every event?'],
    shown: [
      'test/e2e/agent-mode.test.ts: with `track_progress` it works as if mentioned, with the prompt as instructions',
      'test/e2e/agent-mode.test.ts: what asks for a comment where there is nothing to comment on is a warning that says where the answer is',
      'test/e2e/dispatch.test.ts: an issue is read whole, commented on, and worked on as if somebody had asked there',
    ],
  },
  B19: {
    asked: ['Does CI run on its commits?'],
    shown: [
      'docs/action.md: Commits that it pushes start no other workflows',
      'test/e2e/authentication.test.ts: an App’s token is narrowed to this repository and these permissions, and revoked at the end',
    ],
  },
  B20: {
    asked: ['What about long jobs, when tokens run out?'],
    shown: [
      'test/e2e/authentication.test.ts: a token that runs out while Claude works is replaced, and all of them are revoked',
      'src/mcp/github.test.ts: with a new token comes a new server, and the former one ends',
    ],
  },
  B21: {
    asked: ['Reusable workflows, several organisations, GitHub Enterprise Server?'],
    shown: [
      'test/e2e/mention.test.ts: on an Enterprise Server',
      'test/e2e/authentication.test.ts: a workflow that the exchange does not know yet (%s) ends green with a notice',
      'docs/action.md: `token_exchange_url` has to name another',
    ],
  },
  B22: {
    asked: ['Does it comment on lines, suggest changes, approve?'],
    shown: [
      'test/e2e/inline-reviews.test.ts: three reviews of one pull request say each thing once',
      'test/contract/outgoing.test.ts: a suggestion: %s',
      'docs/reviews.md: `COMMENT` unless you add `APPROVE` or `REQUEST_CHANGES`',
    ],
  },
  B23: {
    asked: ['Does it go on where it stopped?'],
    shown: [
      'test/e2e/resume.test.ts: the second mention on an issue goes on where the first one came to its limit',
      'docs/resume.md: goes on with the conversation',
    ],
  },
  B24: {
    asked: ['Are its commits verified?'],
    shown: [
      'test/e2e/signed-commits.test.ts: with `use_commit_signing` GitHub makes what Claude names: modes, links, binaries, deletions; refusals can be repaired',
      'test/e2e/signed-commits.test.ts: with `ssh_signing_key` all that is published is signed, and neither Claude nor a later step sees a trace',
    ],
  },
  B25: {
    asked: [
      'Can it rebase, or solve conflicts with the base?',
      'Does a request get lost while it is at work?',
    ],
    shown: [
      'src/engine/publish.test.ts: with what conflicts, and nothing is merged',
      'src/workspace/gate/checks.test.ts: merging what the target has already is not a change of its files',
      "test/e2e/follow-ups.test.ts: a permitted mention reaches it, a stranger's reaches nobody, and a label waits its turn",
      'test/e2e/follow-ups.test.ts: what it could not take in is done by its own run afterwards, on top of what was pushed',
      'test/e2e/git-failures.test.ts: goes to a branch of its own when somebody pushed to the pull request meanwhile',
      'docs/faq.md: Rebasing: no. It would replace commits that others may have',
    ],
  },
  B26: {
    asked: ['Does it run on my runner?', 'Can I pin versions?'],
    shown: [
      'test/contract/action-yml.test.ts: main and post are the built bundles, and post always runs',
      'src/claude/executable.test.ts: from the registry that the job names, once: the next run finds it in the tool cache',
      'src/claude/executable.test.ts: a registry that is down: the error names the input that does without it',
      "src/claude/executable.test.ts: the pinned version and checksums are those of the installed Agent SDK's manifest",
    ],
  },
  B27: {
    asked: [
      'Does it go on with another model when one fails?',
      'Can bots call it, and does it run for Dependabot?',
    ],
    shown: [
      'src/claude/options.test.ts: model and fallback',
      "docs/faq.md: For which failures is Claude Code's decision",
      'test/e2e/access.test.ts: a bot is let in by name only, whatever it may write',
      'test/e2e/access.test.ts: its own words never start it, whatever the lists say',
    ],
  },
  B28: {
    asked: ['Why does it stop and ask for permission?', 'How do I know that it has seen me?'],
    shown: [
      'test/e2e/fence.test.ts: `allow_bash` lets it run any command in tag mode, which it may not else',
      'src/engine/denied.test.ts: commands, as a rule names them',
      'test/e2e/mention.test.ts: a mention on an issue becomes a branch with a commit, told in one comment',
    ],
  },
  B29: {
    asked: ['Whose `CLAUDE.md` and settings count on a pull request?'],
    shown: [
      'test/e2e/trusted-configuration.test.ts: a mention: the base is in force, nothing of the pull request is, and what differs is told',
    ],
  },
  B30: {
    asked: ['Does an edited comment call it?'],
    shown: [
      'test/e2e/issues.test.ts: a label, an assignment, a new issue and an edit can all call Claude',
      "src/trigger/detect.test.ts: an author's own edit is the author's request",
    ],
  },
};

const page = readFileSync('docs/faq.md', 'utf8').replace(/\s+/g, ' ');

test('every ask is there', () => {
  expect(Object.keys(asks)).toEqual(Array.from({ length: 30 }, (_, index) => `B${index + 1}`));
});

test('every question of the page is one of them', () => {
  const questions = [...page.matchAll(/- \*\*(.+?)\*\*/g)].map(([, question]) => question);
  expect(questions.toSorted()).toEqual(
    Object.values(asks)
      .flatMap(({ asked }) => asked)
      .toSorted(),
  );
});

describe.each(Object.entries(asks))('%s', (_, { asked, shown }) => {
  test.each(shown)(`${asked[0]} %s`, (proof) => {
    expectProof(proof);
  });
});
