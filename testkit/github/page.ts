/** Plain pages of issues, pull requests and discussions, so that a person can look at what happened. */
import MarkdownIt from 'markdown-it';
import { canSee, type Identity } from './access.ts';
import type { Discussion, Subject, Written } from './model.ts';
import type { Answer } from './rest/call.ts';
import { shownComments } from './state/discussions.ts';
import { visibleComments } from './state/issues.ts';
import { fullName, type Store } from './store.ts';

const headers = {
  'content-type': 'text/html; charset=utf-8',
  // everything shown was written by somebody else: no scripts, no foreign images, no frames
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
};

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1f2328}
h1{font-weight:500}header p,.meta{color:#59636e}article{border:1px solid #d1d9e0;border-radius:6px;margin:1rem 0}
.meta{background:#f6f8fa;padding:.5rem 1rem;border-bottom:1px solid #d1d9e0;font-size:.875rem}
.body{padding:0 1rem;overflow-wrap:anywhere}.hunk,.body pre{white-space:pre-wrap;font:.8rem/1.4 monospace;background:#f6f8fa;margin:0;padding:.75rem 1rem}
code{font:.85em monospace;background:#eff1f3;border-radius:4px;padding:.1em .3em}pre code{background:none;padding:0}hr{border:0;border-top:1px solid #d1d9e0}
blockquote{margin:0;padding-left:1rem;border-left:.25rem solid #d1d9e0;color:#59636e}a{color:#0969da;text-decoration:none}.task{list-style:none;margin-left:-1.2rem}`;

/** Other people's text: no HTML of theirs is let through. */
const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true });

/** `/{owner}/{repo}/issues/{n}`, `/pull/{n}` and `/discussions/{n}`; private repositories are not shown to strangers. */
export function answerPage(store: Store, identity: Identity, path: string): Answer {
  const match = /^\/([^/]+\/[^/]+)\/(issues|pull|discussions)\/(\d+)\/?$/.exec(path);
  const repository = match && store.findRepository(match[1]!);
  const shown = repository && canSee(identity, repository) ? repository : undefined;
  const number = Number(match?.[3]);
  const discussion = match?.[2] === 'discussions' ? shown?.discussions.get(number) : undefined;
  if (discussion)
    return { status: 200, headers, body: page(`${discussion.title} · #${number}`, talk(discussion)) };
  const subject = shown?.subjects.get(number);
  if (!subject) return { status: 404, headers, body: page('Not found', '<h1>Not found</h1>') };
  const place = subject.kind === 'pull' ? 'pull' : 'issues';
  if (match![2] !== place) {
    return {
      status: 302,
      headers: { location: `/${fullName(subject.repository)}/${place}/${subject.number}` },
    };
  }
  return { status: 200, headers, body: page(`${subject.title} · #${subject.number}`, thread(subject)) };
}

interface Entry {
  who: string;
  at: string;
  what: string;
  body: string;
  hunk?: string;
  anchor: string;
}

function thread(subject: Subject): string {
  const state = subject.kind === 'pull' && subject.mergedAt ? 'merged' : subject.state;
  const branches =
    subject.kind === 'pull'
      ? ` · ${subject.head.owner.login}:${subject.head.ref} → ${subject.base.ref}${subject.draft ? ' · draft' : ''}`
      : '';
  const labels = subject.labels.map((label) => ` · ${label.name}`).join('');
  const head = `<header><h1>${escapeHtml(subject.title)} #${subject.number}</h1><p>${escapeHtml(
    `${fullName(subject.repository)} · ${state}${branches}${labels}`,
  )}</p></header>`;
  return head + entriesOf(subject).map(renderEntry).join('');
}

function talk(discussion: Discussion): string {
  const { number, title, category, repository } = discussion;
  const head = `<header><h1>${escapeHtml(title)} #${number}</h1><p>${escapeHtml(
    `${fullName(repository)} · ${category}`,
  )}</p></header>`;
  const said = (text: Written, what: string, anchor: string) =>
    renderEntry({ who: text.author?.login ?? 'ghost', at: text.createdAt, what, body: text.body, anchor });
  const comments = shownComments(discussion, null).flatMap((comment) => [
    said(comment, 'commented', `discussioncomment-${comment.id}`),
    ...shownComments(discussion, comment).map((reply) =>
      said(reply, 'replied', `discussioncomment-${reply.id}`),
    ),
  ]);
  return [head, said(discussion, 'asked', 'opening'), ...comments].join('');
}

function entriesOf(subject: Subject): Entry[] {
  const who = (author: { login: string } | null) => author?.login ?? 'ghost';
  const opening: Entry = {
    who: who(subject.author),
    at: subject.createdAt,
    what: 'opened',
    body: subject.body,
    anchor: 'opening',
  };
  const rest: Entry[] = visibleComments(subject).map((comment) => ({
    who: who(comment.author),
    at: comment.createdAt,
    what: comment.lastEditedAt ? 'commented (edited)' : 'commented',
    body: comment.body,
    anchor: `issuecomment-${comment.id}`,
  }));
  for (const review of subject.kind === 'pull' ? subject.reviews : []) {
    if (review.state === 'PENDING') continue;
    const what = `reviewed: ${review.state.toLowerCase().replace('_', ' ')}`;
    rest.push({
      who: who(review.author),
      at: review.createdAt,
      what,
      body: review.body,
      anchor: `pullrequestreview-${review.id}`,
    });
    for (const comment of review.comments.filter((one) => !one.deleted)) {
      const where = `on ${comment.thread.path}${comment.thread.line ? `:${comment.thread.line}` : ''}`;
      const anchor = `discussion_r${comment.id}`;
      rest.push({
        who: who(comment.author),
        at: comment.createdAt,
        what: where,
        body: comment.body,
        hunk: comment.diffHunk,
        anchor,
      });
    }
  }
  return [opening, ...rest.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))];
}

function renderEntry(entry: Entry): string {
  const hunk = entry.hunk ? `<pre class="hunk">${escapeHtml(entry.hunk)}</pre>` : '';
  return `<article id="${entry.anchor}"><div class="meta"><b>${escapeHtml(entry.who)}</b> ${escapeHtml(entry.what)} · <time>${entry.at}</time></div>${hunk}<div class="body">${renderBody(entry.body)}</div></article>`;
}

/** Markdown as GitHub shows it, as far as it matters here: hidden comments stay hidden, task lists have boxes. */
function renderBody(body: string): string {
  const html = markdown.render(body.replace(/<!--[\s\S]*?-->/g, ''));
  return html.replace(
    /<li>\[([ x])\] /g,
    (_, mark: string) => `<li class="task">${mark === 'x' ? '☑' : '☐'} `,
  );
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${style}</style>${body}</html>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
