/** Whatever is wrong with inputs or event is named with its remedy, and nothing half-done stays behind. */
import { describe, expect, test } from 'vitest';
import { expectFailure, expectSuccess, expectTidy } from './expectations.ts';
import { setStage } from './stage.ts';

describe('inputs that contradict each other or cannot be read are named before anybody is asked:', () => {
  const token = 'ghs_of-the-caller';
  const cases: [string, Record<string, string>, string, RegExp][] = [
    [
      'two credentials',
      { app_id: '7', app_private_key: 'key' },
      'invalid_input',
      /`github_token` and `app_id`/,
    ],
    [
      'half an App',
      { github_token: '', app_id: '7' },
      'invalid_input',
      /`app_id` was given without `app_private_key`/,
    ],
    [
      'two providers',
      { use_bedrock: 'true', use_vertex: 'true' },
      'invalid_input',
      /`use_bedrock` and `use_vertex`/,
    ],
    ['no number', { max_budget_usd: 'lots' }, 'invalid_input', /`max_budget_usd`: must be an amount/],
    [
      'no boolean',
      { use_sticky_comment: 'perhaps' },
      'invalid_input',
      /`use_sticky_comment`: must be `true` or/,
    ],
    [
      'no choice',
      { create_pull_request: 'now' },
      'invalid_input',
      /`create_pull_request`: must be one of `link`/,
    ],
    [
      'an open quote',
      { claude_args: '--model "opus' },
      'invalid_input',
      /`claude_args`: a " quote is not closed/,
    ],
    [
      'a bad limit',
      { claude_args: '--max-turns many' },
      'invalid_input',
      /`--max-turns` must be a number above 0/,
    ],
    [
      'a bad schema',
      { claude_args: "--json-schema '{'" },
      'invalid_input',
      /`--json-schema` is not valid JSON/,
    ],
    [
      'a public key to sign with',
      { ssh_signing_key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample' },
      'invalid_input',
      /`ssh_signing_key` cannot sign: it is not a private key/,
    ],
    ['no model credential', { anthropic_api_key: '' }, 'model_auth', /no credential for the model/],
  ];

  test.each(cases)('%s', async (_, inputs, reason, says) => {
    await using stage = await setStage();
    const ended = await stage.mention('@claude hello', {
      inputs: { github_token: token, ...inputs },
      checkout: false,
    });

    expectFailure(ended, reason, says);
    expect(stage.github.requests).toEqual([]);
    expect(stage.model.requests).toEqual([]);
    expect(ended.outputs).toEqual({ conclusion: 'failure', reason });
  });

  test('several at once are all named', async () => {
    await using stage = await setStage();
    const inputs = {
      timeout_minutes: '-1',
      max_changed_files: 'few',
      sandbox: 'maybe',
      token_exchange_url: 'x',
    };
    const ended = await stage.mention('@claude hello', { inputs, checkout: false });

    for (const name of Object.keys(inputs))
      expectFailure(ended, 'invalid_input', `Input \`${name}\`: must be`);
  });
});

describe('what only Claude’s start can tell is said in the comment too:', () => {
  const cases: [string, Record<string, string>, RegExp][] = [
    ['settings that are not JSON', { settings: '{"permissions":' }, /Input `settings` is not valid JSON/],
    ['a settings file that is not there', { settings: 'nowhere.json' }, /`nowhere\.json` cannot be read/],
    [
      'a missing `--mcp-config`',
      { claude_args: '--mcp-config nowhere.json' },
      /`--mcp-config`: `nowhere\.json` cannot be read/,
    ],
    [
      'a Claude Code that is not there',
      { path_to_claude_code_executable: 'bin/claude' },
      /`path_to_claude_code_executable`: `bin\/claude` is not an executable file/,
    ],
  ];

  test.each(cases)('%s', async (_, inputs, says) => {
    await using stage = await setStage();
    const ended = await stage.mention('@claude hello', { inputs });

    expectFailure(ended, 'invalid_input', says);
    expect(stage.repository.issue(1).comments[1]!.body).toMatch(says);
    expect(stage.github.reactions(stage.repository.issue(1).comments[0]!)).toMatchObject([
      { content: 'confused' },
    ]);
    expect(Object.keys(stage.repository.branches())).toEqual(['main']);
    expectTidy(ended, stage);
  });
});

describe('an event file that is not what GitHub writes:', () => {
  const cases: [string, string | Buffer, RegExp][] = [
    ['not JSON', 'issue: 1', /the event file is not JSON/],
    ['empty', '', /the event file is not JSON/],
    ['a list', '[1, 2]', /`issue_comment` is malformed: it must be a JSON object/],
    ['null', 'null', /it must be a JSON object/],
    ['without its fields', '{"action":"created"}', /malformed: `issue`/],
    [
      'fields of another kind',
      '{"action":"created","issue":3,"comment":[],"sender":"x"}',
      /malformed: `sender`: .*`issue`: /,
    ],
    ['binary garbage', Buffer.from([0, 255, 254, 123, 34, 0, 128, 10]), /the event file is not JSON/],
  ];

  test.each(cases)('%s', async (_, eventFile, says) => {
    await using stage = await setStage();
    const event = { name: 'issue_comment', payload: {} };
    const ended = await stage.run({ event, eventFile, checkout: false });

    expectFailure(ended, 'invalid_input', says);
    expect(stage.github.requests).toEqual([]);
    expect(ended.outputs.github_token).toBeUndefined();
  });
});

describe('odd texts are only texts:', () => {
  const filler = 'The greeting is wrong. '.repeat(2_815);
  const cases: [string, string, string][] = [
    ['a mention and nothing else', '@claude', 'The mention says no more.'],
    ['65 KB', `@claude ${filler}and the END`, 'and the END'],
    ['binary garbage', '@claude \u0000\u0007\ufffd\ud800 tidy\u001b[31m up', 'tidy'],
    ['workflow commands', '@claude hi\n::set-output name=conclusion::success\n::error::x', '::error::x'],
  ];

  test.each(cases)('%s', async (_, text, seen) => {
    await using stage = await setStage([{ text: `You said ${text.slice(0, 60_000)}` }]);
    const ended = await stage.mention(text);

    expectSuccess(ended);
    expect(stage.model.firstText()).toContain(seen);
    expect(ended.annotations.filter(({ level }) => level === 'error')).toEqual([]);
    expect(stage.repository.issue(1).comments[1]!.body).toContain('✅');
    expectTidy(ended, stage);
  });
});
