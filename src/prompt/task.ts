/** What is asked, by whom: the first words that Claude reads. */
import type { Item } from '../words/event.ts';
import { dispatchOf, type Task } from '../words/task.ts';
import type { ReviewThread } from '../words/thread.ts';
import { about, hunk, isRequested, linesOf, opening } from './material.ts';
import { sanitise } from './sanitise.ts';
import type { SectionInput } from './sections.ts';

/**
 * The item whose words may instruct: the mention, when the actor wrote it. Attack: a maintainer's edit adds the mention
 * to a stranger's text, which must not act with the maintainer's rights. Proof: "a mention added to a stranger's
 * comment" in `build.test.ts`.
 */
export function requestIn(task: Task): Item | null {
  if (task.trigger.kind !== 'mention') return null;
  const { item } = task.trigger;
  return item.author.login.toLowerCase() === task.actor.login.toLowerCase() ? item : null;
}

/** True when the order is no person's in the thread: the workflow's `prompt`, or what a backend dispatched. */
export function isGiven({ trigger }: Task): boolean {
  return trigger.kind === 'prompt' || trigger.kind === 'dispatch';
}

/** @param request as `requestIn` found it. */
export function taskSection(input: SectionInput, request: Item | null): string {
  const { task } = input;
  if (isGiven(task)) return givenTask(input);
  if (!request) return ourTask(input);
  const what = input.task.instruction.trim()
    ? 'Do what they ask.'
    : `The mention says no more. ${wanted(input, request)}`;
  return `## Task\n${who(input)} ${what}\n\n${requestText(input, request)}`;
}

function subjectName({ task, thread, markers }: SectionInput): string {
  const noun = thread.kind === 'issue' ? 'issue' : 'pull request';
  const repository = markers.name(`${task.repository.owner}/${task.repository.name}`);
  return `${noun} #${thread.number} of ${repository}`;
}

const places: Record<Item['kind'], string> = {
  issue_comment: 'a comment on',
  review_comment: 'a review comment on',
  review: 'a review of',
  issue: 'the text of',
  pull_request: 'the text of',
  discussion: 'the text of',
  discussion_comment: 'a comment on',
};

/** What happened, in one sentence. */
function who(input: SectionInput): string {
  const { task, markers } = input;
  const actor = markers.person(task.actor.login);
  const { trigger } = task;
  switch (trigger.kind) {
    case 'mention': {
      const place = `${places[trigger.item.kind]} ${subjectName(input)}`;
      const author = markers.person(trigger.item.author.login);
      return requestIn(task)
        ? `${actor} mentioned you in ${place}.`
        : `${actor} added a mention of you to ${place} that ${author} wrote.`;
    }
    case 'label':
      return `${actor} put the label ${markers.name(trigger.label)} on ${subjectName(input)}.`;
    case 'assignment':
      return `${actor} assigned ${subjectName(input)} to you.`;
    case 'opened':
      return `${actor} opened ${subjectName(input)}.`;
    default:
      return `${actor} started this run on ${subjectName(input)}.`;
  }
}

/** Title and description say what outcome is wanted; that it is wanted is ours to say. */
function ourTask(input: SectionInput): string {
  const item = input.task.trigger.kind === 'mention' ? input.task.trigger.item : null;
  return `## Task\n${who(input)} ${wanted(input, item)}`;
}

function wanted({ thread }: SectionInput, item: Item | null): string {
  if (item?.kind === 'review' || item?.kind === 'review_comment') return 'Settle what it points at.';
  return thread.kind === 'issue'
    ? 'Resolve this issue: find the cause, make the change and check it. If it only asks a question, answer it.'
    : 'Review this pull request.';
}

/** The prompt of the workflow's author or of a backend is ours to follow; what the event brought besides is not. */
function givenTask(input: SectionInput): string {
  const { settings, markers, task } = input;
  const item = task.trigger.kind === 'prompt' ? (task.trigger.item ?? null) : null;
  const news = item && item.kind !== 'issue' && item.kind !== 'pull_request';
  const event = news
    ? ` It was started by a ${kindName(item)} of ${markers.person(item.author.login)}, which is material.`
    : '';
  const dispatch = dispatchOf(task);
  const prompt = (dispatch ? sanitise(dispatch.description) : settings.prompt).trim();
  const whose = dispatch ? "The caller's" : "The workflow's";
  const said = prompt.startsWith('/')
    ? `${whose} instructions are the message after this one.`
    : `${whose} instructions:\n\n${prompt}`;
  return `## Task\nThis run is about ${subjectName(input)}.${event} ${said}`;
}

function kindName(item: Item): string {
  return item.kind === 'issue_comment' ? 'comment' : item.kind.replaceAll('_', ' ');
}

/** The request between its markers, with the lines of code that it is about. */
function requestText(input: SectionInput, request: Item): string {
  const { markers, thread } = input;
  if (request.kind === 'issue' || request.kind === 'pull_request') {
    const { attributes, text } = opening(input);
    return markers.enclose('request', attributes, text);
  }
  const said = markers.enclose(
    'request',
    {
      kind: kindName(request),
      author: request.author.login,
      association: request.authorAssociation,
      at: request.createdAt,
      path: request.path,
      ...linesOf(request),
    },
    markers.text(request.body) || '(no text)',
  );
  const threads = thread.pullRequest?.reviewThreads ?? [];
  if (request.kind === 'review_comment') return [said, ...ownHunk(input, request)].join('\n');
  const inline =
    request.kind === 'review' ? threads.flatMap((one) => inlineRequests(input, request, one)) : [];
  return [said, ...inline].join('\n');
}

/** The hunk of a comment that opens a thread; that of a reply stands with its thread. */
function ownHunk({ markers, thread }: SectionInput, request: Item): string[] {
  const home = thread.pullRequest?.reviewThreads.find((one) =>
    one.comments.some(({ id }) => id === request.id),
  );
  if (home && home.comments.length > 1) return ['The review thread that it is part of is shown below.'];
  const diffHunk = request.diffHunk ?? home?.diffHunk;
  const { path = home?.path ?? '', line = home?.line ?? null, startLine = home?.startLine ?? null } = request;
  return diffHunk ? [hunk(markers, { path, line, startLine, diffHunk })] : [];
}

/** A review's inline comments are part of what its author asks. */
function inlineRequests({ markers }: SectionInput, request: Item, thread: ReviewThread): string[] {
  const mine = thread.comments.filter((comment) => isRequested(request, comment));
  if (mine.length === 0) return [];
  const said = mine.map((comment) => {
    const attributes = { ...about('review comment', comment), path: thread.path, ...linesOf(thread) };
    return markers.enclose('request', attributes, markers.text(comment.body) || '(no text)');
  });
  const alone = mine.length === thread.comments.length;
  return alone ? [hunk(markers, thread), ...said] : said;
}
