/** Marks where other people's words begin and end, so that they cannot pass for ours. */
import { replaceImages } from '../words/images.ts';
import { spellInvisible, withoutInvisible } from './invisible.ts';
import { sanitise } from './sanitise.ts';

/** What a marker says of its text. Empty values are left out; strings are quoted, whatever they hold. */
export type Attributes = Record<string, string | number | null | undefined>;

/** Longest name (of a file, branch, label, person) that is shown. */
const longestName = 300;

/** A `<` of any kind before one of our marker names: `</untrusted-…`, `＜ request-…`. */
const lookAlike = /[<＜﹤‹〈⟨](?=[\s/／]*(?:untrusted|request-))/gi;

export interface Markers {
  /** `request`: the words of the person who may instruct. `untrusted`: everybody else's. */
  enclose(authority: 'request' | 'untrusted', attributes: Attributes, text: string): string;
  /** Text that stands between markers: sanitised, and unable to close them. */
  text(raw: string): string;
  /** Lines of a diff, or of another language, fenced so that nothing in them ends the fence. */
  code(raw: string, language?: string): string;
  /** One line between markers: a title, a commit's headline. */
  line(raw: string): string;
  /** A name in our own sentences: `main`, or quoted when it could be read as anything but a name. */
  name(raw: string): string;
  /** A person in our own sentences: @octocat. */
  person(login: string): string;
  /** The marker as our sentences refer to it. */
  tag(authority: 'request' | 'untrusted'): string;
}

/**
 * @param nonce at least 128 random bits as hex digits, new for each run: an attacker who does not know it cannot write
 *   the closing marker. Attacks: `markers.test.ts`.
 * @param images paths of files by the addresses of images that they were downloaded from.
 */
export function createMarkers(nonce: string, images: ReadonlyMap<string, string> = new Map()): Markers {
  if (!/^[0-9a-f]{32,}$/.test(nonce)) throw new Error('the nonce must be at least 32 hex digits');
  const known = new RegExp(nonce, 'gi');
  const tag = (authority: string) => `${authority}-${nonce}`;
  // An earlier run's log, or this one's comment, may have given the nonce away.
  const harmless = (text: string) => text.replace(known, '[removed]').replace(lookAlike, '&lt;');
  const quoted = (raw: string) =>
    JSON.stringify(shorten(harmless(spellInvisible(raw)))).replaceAll('\\\\u{', '\\u{');
  const plain = (raw: string) => /^[\w.\-/@[\]]{1,100}$/.test(raw) && harmless(raw) === raw;
  return {
    enclose(authority, attributes, text) {
      const said = Object.entries(attributes)
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([key, value]) => ` ${key}=${typeof value === 'number' ? value : quoted(value as string)}`);
      // Half a character, where a text was cut, would make the model's API refuse the whole message.
      const whole = text.toWellFormed();
      return `<${tag(authority)}${said.join('')}>\n${whole}\n</${tag(authority)}>`;
    },
    text: (raw) => harmless(withoutOuterBlanks(withFiles(sanitise(raw), images))),
    code(raw, language = 'diff') {
      const text = harmless(withoutInvisible(raw));
      const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
      const fence = '`'.repeat(longest + 1);
      return `${fence}${language}\n${text}\n${fence}`;
    },
    line: (raw) => shorten(harmless(withoutInvisible(raw)).replace(/\s+/g, ' ').trim()),
    name: (raw) => (plain(raw) ? `\`${raw}\`` : quoted(raw)),
    person: (login) => (/^[A-Za-z0-9-]{1,60}(\[bot\])?$/.test(login) ? `@${login}` : quoted(login)),
    tag: (authority) => `<${tag(authority)}>`,
  };
}

/** Images at the paths where they can be opened. @param text as `sanitise` leaves it */
export function withFiles(text: string, images: ReadonlyMap<string, string> = new Map()): string {
  return images.size === 0 ? text : replaceImages(text, (address) => images.get(address) ?? null);
}

/** Indentation of the first line stays: it may be code. */
function withoutOuterBlanks(text: string): string {
  return text.replace(/^(?:[ \t\r]*\n)+/, '').trimEnd();
}

function shorten(name: string): string {
  return name.length > longestName ? `${name.slice(0, longestName).toWellFormed()}…` : name;
}
