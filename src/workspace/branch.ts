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

/**
 * The name that a new branch should have: `claude/issue-42-20260131-0945`, or what the template says.
 * @throws AppError `invalid_input` when the prefix or the template gives a name that Git or a shell would trip over.
 */
export function branchName(naming: BranchNaming): string {
  const name = (naming.template && fromTemplate(naming.template, naming)) || defaultName(naming);
  validateBranchName(name);
  return name;
}

/**
 * Accepts letters, digits and `@ _ / . # + , -`, in an order that Git accepts.
 * @throws AppError `invalid_input` that says what is wrong with the name.
 */
export function validateBranchName(name: string): void {
  const problem = problemOf(name);
  if (!problem) return;
  throw new AppError('invalid_input', `The branch name \`${printable(name)}\` ${problem}.`, {
    remedy: 'Correct `branch_prefix`, `branch_name_template` or `base_branch`.',
  });
}

function problemOf(name: string): string | null {
  if (!name) return 'is empty';
  if (name.startsWith('-')) return 'starts with `-`, which Git reads as an option';
  if (!/^[a-zA-Z0-9@_/.#+,-]*$/.test(name))
    return 'has a character other than letters, digits and `@ _ / . # + , -`';
  if (!/^[a-zA-Z0-9@_]/.test(name)) return 'does not start with a letter, a digit, `@` or `_`';
  if (name === '@') return 'is `@`, which means HEAD to Git';
  if (/[/.]$/.test(name)) return 'ends with `/` or `.`';
  if (/\/\/|\.\.|@\{/.test(name)) return 'contains `//`, `..` or `@{`';
  if (name.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock'))) {
    return 'has a part that starts with `.` or ends with `.lock`';
  }
  return null;
}

function defaultName(naming: BranchNaming): string {
  const subject = naming.subject ? `${entityType(naming)}-${naming.subject.number}` : 'task';
  const name = `${naming.prefix}${subject}-${timestamp(naming.now)}`.toLowerCase();
  return name.slice(0, longestDefault).replace(/[-./]+$/, '');
}

function fromTemplate(template: string, naming: BranchNaming): string {
  const values: Record<string, string> = {
    prefix: naming.prefix,
    entityType: entityType(naming),
    entityNumber: naming.subject ? String(naming.subject.number) : '',
    timestamp: timestamp(naming.now),
    sha: naming.sha.slice(0, 8),
    label: kebab(naming.subject?.labels[0] ?? '') || entityType(naming),
    description: description(naming.subject?.title ?? ''),
  };
  const filled = template.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole);
  return filled.replace(/\/{2,}/g, '/').replace(/^\/+|\/+$/g, '');
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
  return title
    .toLowerCase()
    .split(/\s+/)
    .map((word) => word.replace(/[^a-z0-9-]/g, ''))
    .filter(Boolean)
    .slice(0, 5)
    .join('-');
}

function timestamp(now: Date): string {
  const [date, time] = now.toISOString().split('T') as [string, string];
  return `${date.replaceAll('-', '')}-${time.slice(0, 5).replace(':', '')}`;
}

/** A name as a message may show it: a hostile one must not draw lines or links there. */
function printable(name: string): string {
  return name.replace(/[^\x20-\x7e]|`/g, '?').slice(0, 100);
}
