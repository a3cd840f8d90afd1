/** Title and description of a pull request: Claude's own block between hidden markers, and around it what people wrote. */
import { createHash } from 'node:crypto';
import { closeFence } from '../../report/render.ts';
import { dispatchOf, type Task } from '../../words/task.ts';

export interface PullRequestText {
  title: string;
  body: string;
}

/** What the block remembers: digests of what was set last. */
interface Block {
  /** '' for a title that is not ours. */
  title: string;
  text: string;
  /** The text as if no box in it were ticked. */
  boxes: string;
}

/** GitHub refuses longer ones. Characters. */
const longestBody = 65_536;
const longestTitle = 256;

const blockPattern =
  /<!-- forgehand description (\{[^\n]*?\}) -->\n([\s\S]*?)\n<!-- \/forgehand description -->/;

/** The shortest text for a task's branch: a title, and the link to the issue that it closes. */
export function pullRequestText(task: Task): PullRequestText {
  const { subject, actor } = task;
  if (!subject) {
    const title = oneLine(dispatchOf(task)?.description.trim().split('\n')[0] ?? '').slice(0, 100);
    return { title: title || 'Changes by Claude', body: `A task that @${actor.login} dispatched.` };
  }
  const title = oneLine(subject.title).slice(0, 200);
  return subject.kind === 'issue'
    ? { title: `Fix #${subject.number}: ${title}`, body: `Closes #${subject.number}` }
    : { title: `Changes for #${subject.number}: ${title}`, body: `Follows #${subject.number}` };
}

/** The text of a draft that has no work yet: the repository's template, or three headings. Always linked. */
export function firstText(task: Task, template: string | null): PullRequestText {
  const { title, body: link } = pullRequestText(task);
  const preset = `## What\n\n*Claude is at work. This is updated at the end of each turn.*\n\n## Why\n\n${link}\n\n## How tested\n\n*Nothing yet.*`;
  const text = linked(cut(guarded(template ?? preset), longestBody - 500), { task, around: '' });
  return { title, body: blockOf(text, digest(title)) };
}

/**
 * The present text with Claude's in place of what Claude wrote before. Everything that a person wrote stays: around the
 * block, inside it (that text is then the person's, and a new block follows it), ticked boxes, and the title.
 */
export function describedAs(
  present: PullRequestText,
  given: { title?: string; body: string },
  task: Task,
): PullRequestText {
  const found = takeApart(present.body.replace(/\r\n/g, '\n'));
  const titleIsOurs = found.block?.title === digest(present.title);
  const wanted = oneLine(given.title ?? '').slice(0, longestTitle);
  const title = titleIsOurs && wanted ? wanted : present.title;

  const isTicked = found.block !== null && found.block.text !== digest(found.inner);
  const own = guarded(given.body);
  const around = [found.above, found.below].filter(Boolean).join('\n\n');
  const room = Math.max(longestBody - around.length - 500, 0);
  const text = linked(cut(isTicked ? tickedAs(found.inner, own) : own, room), { task, around });
  const block = blockOf(text, titleIsOurs ? digest(title) : '');
  return { title, body: [found.above, block, found.below].filter(Boolean).join('\n\n') };
}

/** The present description, linked to the issue when it is not yet. */
export function linkedBody(body: string, task: Task): string {
  return linked(body, { task, around: '' });
}

/** Whether merging this closes the task's issue: by a word that GitHub knows, where GitHub looks for it. */
export function closesIssue(body: string, { repository, subject }: Task): boolean {
  if (subject?.kind !== 'issue') return false;
  const shownText = body
    .replace(/<!--[\s\S]*?(?:-->|$)/g, '')
    .replace(/^ {0,3}(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ {0,3}\1|(?![\s\S]))/gm, '')
    .replace(/`[^`\n]+`/g, '');
  const name = literal(`${repository.owner}/${repository.name}`);
  const target = `(?:(?:${name})?#|https?://[^\\s/]+/${name}/issues/)${subject.number}(?!\\w)`;
  return new RegExp(`(?<![\\w-])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?[ \\t]+${target}`, 'i').test(
    shownText,
  );
}

function linked(text: string, { task, around }: { task: Task; around: string }): string {
  if (task.subject?.kind !== 'issue' || closesIssue(`${around}\n\n${text}`, task)) return text;
  return `${text.trimEnd()}\n\n${pullRequestText(task).body}`.trim();
}

function blockOf(text: string, title: string): string {
  const block: Block = { title, text: digest(text), boxes: digest(unticked(text)) };
  return `<!-- forgehand description ${JSON.stringify(block)} -->\n${text}\n<!-- /forgehand description -->`;
}

/** What stands above and below our block. A block that somebody has edited is theirs: it counts as standing above. */
function takeApart(body: string): { above: string; inner: string; below: string; block: Block | null } {
  const found = blockPattern.exec(body);
  if (!found) return { above: body.trim(), inner: '', below: '', block: null };
  const [whole, json = '', inner = ''] = found;
  const block = readBlock(json);
  const [before, after] = [body.slice(0, found.index).trim(), body.slice(found.index + whole.length).trim()];
  if (block?.boxes === digest(unticked(inner))) return { above: before, inner, below: after, block };
  const above = [before, inner.trim(), after].filter(Boolean).join('\n\n');
  return { above, inner: '', below: '', block: block && { ...block, text: digest('') } };
}

function readBlock(json: string): Block | null {
  try {
    return JSON.parse(json) as Block;
  } catch {
    return null;
  }
}

/** Claude's text may neither end our block nor hide what people wrote below it. */
function guarded(text: string): string {
  const plain = text
    .replace(/\r\n/g, '\n')
    .replace(/<!-- (\/?)forgehand description/g, '<!-- $1not by forgehand');
  const closed = closeFence(plain.trim());
  return closed.lastIndexOf('<!--') > closed.lastIndexOf('-->') ? `${closed} -->` : closed;
}

function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return guarded(
    `${text.slice(0, Math.max(longest - 100, 0)).replace(/[\ud800-\udbff]$/, '')}\n\n*(shortened)*`,
  );
}

/** A box that somebody ticked stays ticked where the same line is still there. */
function tickedAs(former: string, text: string): string {
  const lines = former.split('\n').filter((line) => unticked(line) !== line);
  const ticked = new Map(lines.map((line) => [unticked(line).trim(), line]));
  return text
    .split('\n')
    .map((line) => (unticked(line) === line ? (ticked.get(line.trim()) ?? line) : line))
    .join('\n');
}

function unticked(text: string): string {
  return text.replace(/^([ \t]*(?:[-*+]|\d+[.)])[ \t]+)\[[xX]\]/gm, '$1[ ]');
}

/** Line ends and blanks at the end are GitHub's to change. */
function digest(text: string): string {
  return createHash('sha256').update(text.replace(/\r\n/g, '\n').trim()).digest('hex').slice(0, 16);
}

/** Also without the marks that turn the direction of what follows them. */
function oneLine(text: string): string {
  return text
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
