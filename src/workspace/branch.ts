/** Names of branches: made from the setting or the default, checked by a white list, and kept from colliding. */
import { AppError } from '../words/errors.ts';

export interface BranchNaming {
  /** `branch_prefix`. */
  prefix: string;
  /** `branch_name_template`; null for the default name. */
  template: string | null;
  /** What the branch is for; null when the task has no issue or pull request. */
  subject: { kind: 'issue' | 'pull_request'; number: number; title: string; labels: string[] } | null;
  /** The commit that the branch starts from. */
  sha: string;
  /** The moment for `{{timestamp}}`; written in UTC. */
  now: Date;
}

const longestDefault = 50;
/** GitHub takes 255 bytes with `refs/heads/`; a number may follow. */
const longest = 240;
/** Titles are anybody's: a long one must not make a name that cannot be used. */
const longestDescription = 100;
/** How many times a name is tried under a number of its own. */
const numbered = 9;

/**
 * The names that a new branch may have, the wanted one first: `claude/issue-42-20260131-0945`, or what the template says.
 * The others serve when it is taken; the last one also where there is a branch with the name of the folder (`claude`).
 * @throws AppError `invalid_input` that names the input whose name Git or a shell would trip over.
 */
export function branchNames(naming: BranchNaming): string[] {
  const { template } = naming;
  const given = template ? fromTemplate(template, naming) : '';
  const fallback = defaultName(naming);
  const name = given || fallback;
  const problem = problemOf(name);
  if (problem) throw unusable(given ? 'branch_name_template' : 'branch_prefix', name, problem);
  const more = Array.from({ length: numbered - 1 }, (_, index) => `${name}-${index + 2}`);
  const names = new Set([name, ...more, fallback, fallback.replaceAll('/', '-')]);
  return [...names].filter((one) => !problemOf(one));
}

/**
 * True for what `branchNames` may have given, whatever the task: of a template only its beginning is known.
 * @param naming the settings of the same names
 */
export function mayBeOurs(branch: string, naming: { prefix: string; template: string | null }): boolean {
  if (problemOf(branch)) return false;
  const { prefix, template } = naming;
  const begins = [prefix, prefix.replaceAll('/', '-')];
  if (template !== null) begins.push(trimSlashes(template.replaceAll('{{prefix}}', prefix).split('{{')[0]!));
  // The default name is in lower case.
  return begins.some((begin) => branch.toLowerCase().startsWith(begin.toLowerCase()));
}

/**
 * Accepts letters, digits and `@ _ / . # + , -`, in an order that Git and GitHub accept.
 * @throws AppError `invalid_input` that says what is wrong with the name.
 */
export function validateBranchName(name: string): void {
  const problem = problemOf(name);
  if (problem) throw new AppError('invalid_input', `The branch name \`${printable(name)}\` ${problem}.`);
}

function unusable(input: string, name: string, problem: string): AppError {
  const unknown = input === 'branch_name_template' && /\{\{.*?\}\}/.exec(name)?.[0];
  const known = variables.map((one) => `\`{{${one}}}\``).join(', ');
  return new AppError(
    'invalid_input',
    unknown
      ? `Input \`${input}\`: there is no variable \`${printable(unknown)}\`.`
      : `Input \`${input}\` gives the branch name \`${printable(name)}\`, which ${problem}.`,
    { remedy: unknown ? `The variables are ${known}.` : `Correct \`${input}\`.` },
  );
}

function problemOf(name: string): string | null {
  if (!name) return 'is empty';
  if (name.length > longest) return `is longer than ${longest} characters`;
  if (name.startsWith('-')) return 'starts with `-`, which Git reads as an option';
  if (!/^[a-zA-Z0-9@_/.#+,-]*$/.test(name))
    return 'has a character other than letters, digits and `@ _ / . # + , -`';
  if (!/^[a-zA-Z0-9@_]/.test(name)) return 'does not start with a letter, a digit, `@` or `_`';
  if (name === '@' || name === 'HEAD') return `is \`${name}\`, which Git has a meaning for`;
  if (/[/.]$/.test(name)) return 'ends with `/` or `.`';
  if (/\/\/|\.\.|@\{/.test(name)) return 'contains `//`, `..` or `@{`';
  if (name.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock'))) {
    return 'has a part that starts with `.` or ends with `.lock`';
  }
  if (/^refs\/|^[0-9a-f]{40}$/i.test(name))
    return 'starts with `refs/` or looks like the id of a commit, which GitHub refuses';
  return null;
}

function defaultName(naming: BranchNaming): string {
  const subject = naming.subject ? `${entityType(naming)}-${naming.subject.number}` : 'task';
  const name = `${naming.prefix}${subject}-${timestamp(naming.now)}`.toLowerCase();
  return name.slice(0, longestDefault).replace(/[-./]+$/, '');
}

const variables = [
  'prefix',
  'entityType',
  'entityNumber',
  'timestamp',
  'sha',
  'label',
  'description',
] as const;

function fromTemplate(template: string, naming: BranchNaming): string {
  const values: Record<(typeof variables)[number], string> = {
    prefix: naming.prefix,
    entityType: entityType(naming),
    entityNumber: naming.subject ? String(naming.subject.number) : '',
    timestamp: timestamp(naming.now),
    sha: naming.sha.slice(0, 8),
    label: withoutEndDashes(kebab(naming.subject?.labels[0] ?? '')) || entityType(naming),
    description: description(naming.subject?.title ?? ''),
  };
  const filled = variables.reduce(
    (text, name) => text.replaceAll(`{{${name}}}`, () => values[name]),
    template,
  );
  return trimSlashes(filled);
}

function trimSlashes(name: string): string {
  return name.replace(/\/{2,}/g, '/').replace(/^\/+|\/+$/g, '');
}

function entityType({ subject }: BranchNaming): string {
  if (!subject) return 'task';
  return subject.kind === 'issue' ? 'issue' : 'pr';
}

function kebab(label: string): string {
  return label.toLowerCase().replace(/[^a-z0-9-]/g, '-');
}

/** The first five words of a title: `Fix: the "big" bug!` → `fix-the-big-bug`. */
function description(title: string): string {
  const words = title
    .toLowerCase()
    .split(/\s+/)
    .map((word) => withoutEndDashes(word.replace(/[^a-z0-9-]/g, '')))
    .filter(Boolean);
  return withoutEndDashes(words.slice(0, 5).join('-').slice(0, longestDescription));
}

/** At the start of a name a dash would make it an option. */
function withoutEndDashes(text: string): string {
  return text.replace(/^-+|-+$/g, '');
}

function timestamp(now: Date): string {
  const [date, time] = now.toISOString().split('T') as [string, string];
  return `${date.replaceAll('-', '')}-${time.slice(0, 5).replace(':', '')}`;
}

/** A name as a message may show it: a hostile one must not draw lines or links there. */
function printable(name: string): string {
  return name.replace(/[^\x20-\x7e]|`/g, '?').slice(0, 100);
}
