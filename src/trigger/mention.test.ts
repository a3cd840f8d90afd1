import { expect, test } from 'vitest';
import { spokenText } from './markdown.ts';
import { findMention, hasMention, requestAfter } from './mention.ts';

const yes = true;
const no = false;

test.each<[string, string, boolean]>([
  // where it stands
  ['alone', '@claude', yes],
  ['at the start', '@claude fix this', yes],
  ['at the end', 'please fix this @claude', yes],
  ['in the middle', 'could you, @claude fix this', yes],
  ['on a later line', 'Hello\n@claude fix this', yes],
  ['after a Windows line end', 'Hello\r\n@claude fix this\r\n', yes],
  ['after a tab', 'a\t@claude', yes],
  ['after a no-break space', 'a\u00a0@claude', yes],
  ['in other letters', '@Claude and @CLAUDE', yes],
  ['empty text', '', no],
  ['no mention', 'claude, fix this', no],
  ['twice, first not counted', '@claude-bot and @claude', yes],
  ['overlapping with itself', '@claude@claude', no],
  // what follows
  ['full stop', 'Thanks @claude.', yes],
  ['full stop and new line', 'Thanks @claude.\nBye', yes],
  ['comma', '@claude, fix', yes],
  ['exclamation mark', '@claude!', yes],
  ['question mark', '@claude?', yes],
  ['colon', '@claude: fix', yes],
  ['semicolon', '@claude; fix', yes],
  ['three dots', '@claude...', yes],
  ['dot and digit', '@claude.5', yes],
  ['possessive', "@claude's idea", yes],
  ['typographic possessive', '@claude’s idea', yes],
  ['hyphenated', '@claude-bot', no],
  ['hyphen at the end', '@claude-', no],
  ['longer name', '@claudette', no],
  ['number', '@claude2', no],
  ['underscore', '@claude_bot', no],
  ['path', '@claude/sdk', no],
  ['address', '@claude@example.com', no],
  ['domain', '@claude.ai', no],
  ['domain in capitals', '@claude.AI', no],
  // what comes before
  ['e-mail address', 'me@claude.ai', no],
  ['e-mail address without a domain', 'me@claude', no],
  ['letter', 'x@claude', no],
  ['digit', '1@claude', no],
  ['slash', 'https://example.com/@claude', no],
  ['query of an address', 'https://example.com/?by=@claude', no],
  ['escaped by a backslash', '\\@claude', no],
  ['round brackets', '(@claude)', yes],
  ['square brackets', '[@claude]', yes],
  ['a link', '[@claude](https://example.com)', yes],
  ['angle brackets', '<@claude>', yes],
  ['an HTML tag', '<b>@claude</b>', yes],
  ['double quotes', '"@claude"', yes],
  ['single quotes', "'@claude'", yes],
  ['typographic quotes', '“@claude”', yes],
  ['German quotes', '„@claude“', yes],
  ['guillemets', '«@claude»', yes],
  ['bold', '**@claude**', yes],
  ['italic', '*@claude*', yes],
  ['struck out', '~~@claude~~', yes],
  ['bold by underscores: the underscore after it makes a name', '__@claude__', no],
  ['a table cell', '|@claude|', yes],
  ['a list item', '- @claude', yes],
  ['a task', '- [ ] @claude', yes],
  ['a heading', '## @claude fix', yes],
  // other scripts
  ['Chinese with a space', '请 @claude 看看', yes],
  ['Chinese right after', '@claude请看看', yes],
  ['Chinese right before is no boundary', '请@claude 看看', no],
  ['full-width brackets', '（@claude）', yes],
  ['corner brackets', '「@claude」', yes],
  ['ideographic space', '请\u3000@claude\u3000看看', yes],
  ['full-width comma after', '@claude，看看', yes],
  ['full-width letters are another phrase', '＠ｃｌａｕｄｅ', no],
  ['Cyrillic right after', '@claudeпривет', yes],
  ['a look-alike Cyrillic letter inside', '@clаude', no],
  ['Hebrew', 'שלום @claude תקן', yes],
  ['right-to-left mark before', '\u200f@claude', yes],
  ['direction isolate around', '\u2068@claude\u2069', yes],
  ['emoji with a space', '👋 @claude 👋', yes],
  ['emoji right after', '@claude🙏', yes],
  ['emoji right before is no boundary', '👋@claude', no],
  ['zero-width space inside, as people write to not call', '@\u200bclaude', no],
  ['a letter that lengthens in lower case before', 'İİİİ @claude', yes],
  // binary garbage
  ['zero bytes around', '\0@claude\0', no],
  ['half a surrogate pair around', '\ud800 @claude\udc00', yes],
  // inline code
  ['inline code', '`@claude`', no],
  ['inline code among words', 'write `@claude fix` to call', no],
  ['double backticks', '``@claude``', no],
  ['double backticks with one inside', '`` ` @claude ``', no],
  ['after inline code', '`code` @claude', yes],
  ['right after inline code', '`code`@claude', no],
  ['between two pieces of code', '`a` @claude `b`', yes],
  ['code over two lines', '`a\n@claude`', no],
  ['backtick that never closes', 'a ` b @claude', yes],
  ['runs that do not match', '`` @claude `', yes],
  ['code span does not cross a blank line', 'a ` b\n\n@claude ` c', yes],
  ['code span does not cross list items', '- a ` b\n- @claude ` c', yes],
  ['code span does not cross a heading', '# a ` b\n@claude ` c', yes],
  ['escaped backticks are no code', '\\`@claude\\`', yes],
  ['escaped backslash before code', '\\\\`@claude`', no],
  // fenced code
  ['fence', '```\n@claude\n```', no],
  ['fence with a language', '```yaml\non: @claude\n```', no],
  ['tilde fence', '~~~\n@claude\n~~~', no],
  ['tilde fence with backticks in its info', '~~~ a`b\n@claude\n~~~', no],
  ['long fence with a short one inside', '````\n```\n@claude\n````', no],
  ['tildes do not close backticks', '```\n~~~\n@claude\n```', no],
  ['fence with Windows line ends', '```\r\n@claude\r\n```\r\n', no],
  ['indented fence', '   ```\n   @claude\n   ```', no],
  ['four spaces make no fence', 'text\n\n    ```\n\n@claude', yes],
  ['unclosed fence', '```\ncode\n\n@claude', no],
  ['a closing line has nothing else', '```\n``` js\n@claude\n```', no],
  ['after a fence', '```\ncode\n```\n@claude fix', yes],
  ['before a fence', '@claude fix\n```\ncode\n```', yes],
  ['between fences', '```\na\n```\n@claude\n```\nb\n```', yes],
  ['backticks in the info make inline code', '``` a ``` @claude', yes],
  ['fence in a list item', '- ```\n  @claude\n\n  @claude\n  ```', no],
  ['after a fence in a list item', '- ```\n  code\n  ```\n\n@claude', yes],
  ['fence below a nested list item', '- a\n  - b\n\n    ```\n    x\n\n    @claude\n    ```', no],
  ['after the list, four spaces again make no fence', '- a\n  - b\n\nend\n\n    ```\n\n@claude', yes],
  // quotes
  ['quoted reply', '> @claude fix\n\nI disagree', no],
  ['quoted reply without a space', '>@claude fix', no],
  ['indented quote', '   > @claude fix', no],
  ['nested quote', '>> @claude fix', no],
  ['below a quote', '> some words\n@claude fix', yes],
  ['below a quote and a blank line', '> @claude fix\n\n@claude do it', yes],
  ['a fence in a quote ends with it', '> ```\n> code\n@claude fix', yes],
  ['a backtick in a quote ends with it', '> a ` b\n@claude ` c', yes],
  ['quote inside a fence is code', '```\n> a\n```\n@claude', yes],
  ['a greater-than sign within a line', 'a > b @claude', yes],
  // comments
  ['HTML comment', '<!-- @claude -->', no],
  ['HTML comment of a template', '<!-- mention\n\n@claude to call -->\nText', no],
  ['after a comment', '<!-- hidden --> @claude', yes],
  ['right after a comment', '<!-- hidden -->@claude', yes],
  ['unclosed comment', 'text <!-- \n\n@claude', no],
  ['between comments', '<!-- a --> @claude <!-- b -->', yes],
  ['empty comment', '<!--> @claude', yes],
  ['comment inside code', '`<!--` @claude', yes],
  ['comment inside a fence', '```\n<!--\n```\n@claude', yes],
  ['code mark inside a comment', '<!-- ` --> @claude `', yes],
  ['fence inside a comment', '<!--\n```\n-->\n@claude', yes],
  ['quote mark after a comment in its line', '<!-- a\n-->> @claude', yes],
  ['escaped comment', '\\<!-- @claude -->', yes],
])('%s: %j', (_, text, expected) => {
  expect(hasMention(text, '@claude')).toBe(expected);
});

test.each<[string, string, string, boolean]>([
  ['a slash command', '/ai', '/ai fix this', yes],
  ['a slash command in a path', '/ai', 'see src/ai/index.ts', no],
  ['a slash command as a folder', '/ai', '/ai/models', no],
  ['a word with a colon', 'claude:', 'Claude: fix', yes],
  ['a word with a colon right before a word', 'claude:', 'claude:fix', no],
  ['a hyphenated name', '@my-bot', 'hey @my-bot!', yes],
  ['a hyphenated name, longer', '@my-bot', 'hey @my-bot-2', no],
  ['several words', 'hey claude', 'Hey Claude, fix', yes],
  ['characters of regular expressions', '@c.l*a+u?d(e)[1]{2}|^$\\', 'go @c.l*a+u?d(e)[1]{2}|^$\\ now', yes],
  ['a dot is a dot', '@c.aude', '@claude', no],
  ['Chinese', '@克劳德', '请 @克劳德 看看', yes],
  ['Cyrillic in other letters', '@клод', '@КЛОД', yes],
  ['emoji', '🤖', 'do it 🤖 now', yes],
  ['emoji beside another', '🤖', '🤖🤖', yes],
  ['emoji after a letter', '🤖', 'a🤖 b🤖', no],
  ['a phrase that repeats itself', 'aa', 'xaa aaa aa', yes],
  ['an empty phrase', '', 'anything', no],
])('phrase is %s: %s in %j', (_, phrase, text, expected) => {
  expect(hasMention(text, phrase)).toBe(expected);
});

test('the place found is a place in the original text', () => {
  const text = 'İ `@claude` <!-- @claude --> **@Claude** go';
  const mention = findMention(text, '@claude')!;
  expect([text.slice(mention.index, mention.end), text.slice(mention.end)]).toEqual(['@Claude', '** go']);
});

test.each<[string, string, string]>([
  ['what follows', 'Hi team, @claude fix the login', 'fix the login'],
  ['without the comma', '@claude, fix the login', 'fix the login'],
  ['a slash command', '@claude: /review now', '/review now'],
  ['without the marks around the mention', '**@claude** fix **this**', 'fix **this**'],
  ['marks of the request stay', '@claude **fix** this', '**fix** this'],
  ['code of the request stays', '@claude `npm test` fails', '`npm test` fails'],
  ['several lines', '@claude\n\n1. a\n2. b\n', '1. a\n2. b'],
  ['after the first mention that counts', '`@claude` is you. @claude fix @claude', 'fix @claude'],
  ['all of it when nothing follows', 'Please fix the login @claude', 'Please fix the login'],
  ['all of it when only punctuation follows', 'Could you fix it, @claude?', 'Could you fix it?'],
  ['nothing when nothing is said', '@claude', ''],
  ['nothing when only brackets are left', '(@claude)', ''],
  ['the whole text without a mention', ' fix it ', 'fix it'],
])('the request is %s: %j', (_, text, expected) => {
  expect(requestAfter(text, '@claude')).toBe(expected);
});

const size = 65_536;
const fill = (piece: string) => piece.repeat(Math.ceil(size / piece.length)).slice(0, size);
const growing = Array.from({ length: 360 }, (_, index) => '`'.repeat(index + 1)).join(' ');

test.each([
  ['backticks', fill('`')],
  ['single backticks', fill('` ')],
  ['backtick runs of growing length', growing],
  ['backtick runs of falling length', growing.split(' ').reverse().join(' ')],
  ['comment openings', fill('<!--')],
  ['nested comments', fill('<!-- <!-- --> ')],
  ['short comments over paragraphs', fill('<!--\n\n-->')],
  ['paragraphs', fill('a\n\n')],
  ['line ends', fill('\n')],
  ['fences', fill('```\n')],
  ['fences with names', fill('```a\n')],
  [
    'fences of growing length',
    Array.from({ length: 360 }, (_, index) => `~~~${'~'.repeat(index)}`).join('\n'),
  ],
  ['quotes', fill('> ')],
  ['quote lines', fill('>\n')],
  ['list markers', fill('- ')],
  ['list lines', fill('- a\n')],
  ['numbers', fill('1')],
  ['spaces', fill(' ')],
  ['spaces that end in a letter', `${fill(' ')}a`],
  ['tabs and marks', fill('\t-')],
  ['hashes', fill('#')],
  ['rules', fill('---\n')],
  ['dashes', `${fill('-')}a`],
  ['backslashes', fill('\\')],
  ['mentions that do not count', fill('x@claude')],
  ['mentions in code', fill('`@claude` ')],
  ['closing marks', fill('@claude)')],
  ['white space before a mention', `${fill(' ')}a${fill(', ')}@claude`],
])('65 KB of %s take linear time', (_, text) => {
  const hostile = `${text} @claude-bot`;
  const before = process.cpuUsage();
  hasMention(hostile, '@claude');
  requestAfter(hostile, '@claude');
  // Four times the text must not take sixteen times as long. Of this process alone: others may be busy.
  spokenText(hostile.repeat(4));
  expect(process.cpuUsage(before).user).toBeLessThan(3_000_000);
});

test('blanking keeps the length', () => {
  const text = 'a `b` <!-- c --> \n> d\n```\ne\n';
  expect(spokenText(text)).toHaveLength(text.length);
});
