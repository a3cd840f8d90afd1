import { expect, test } from 'vitest';
import { deniedNote } from './denied.ts';

const result = (...permission_denials: object[]) => ({ type: 'result', permission_denials });
const bash = (command: string) => ({ tool_name: 'Bash', tool_input: { command } });
const asked = (...messages: object[]) => /use: (.*)\. What/s.exec(deniedNote(messages) ?? '')?.[1] ?? null;

test.each<[string, object[], string | null]>([
  ['nothing', [{ type: 'assistant' }, result()], null],
  ['commands, as a rule names them', [result(bash('npm test'))], '`Bash(npm test)`'],
  [
    'other tools, of every turn, once',
    [result({ tool_name: 'WebFetch' }), result({ tool_name: 'WebFetch' })],
    '`WebFetch`',
  ],
  [
    'lines and lengths within bounds',
    [result(bash(`a\n${'b'.repeat(90)}`))],
    `\`Bash(a ${'b'.repeat(78)}…)\``,
  ],
  [
    'many, counted',
    [result(...[1, 2, 3, 4, 5, 6, 7].map((n) => bash(`echo ${n}`)))],
    expect.stringMatching(/`Bash\(echo 5\)`, and 2 more$/),
  ],
  ['what looks like markdown', [result(bash('echo `[x](y)`'))], expect.not.stringMatching(/^`Bash\(echo `/)],
])('what was denied: %s', (_, messages, expected) => {
  expect(asked(...messages)).toEqual(expected);
});
