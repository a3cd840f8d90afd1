/** What a reader sees of a markdown text on a page: rendered by markdown-it, read as a browser reads HTML. */
import MarkdownIt from 'markdown-it';

const markdown = new MarkdownIt('default', { html: true });
const { escapeHtml } = markdown.utils;
// The language tells how code is coloured; it is short, and taken for seen.
markdown.renderer.rules.fence = (tokens, index) => {
  const { info, content } = tokens[index]!;
  return `<pre>${escapeHtml(/^[\w+#.:{}/-]{1,24}(?=\s|$)/.exec(info.trim())?.[0] ?? '')}\n${escapeHtml(content)}</pre>`;
};
/** Elements that GitHub shows as text. */
const asText = /<(?=\/?(?:title|textarea|style|xmp|iframe|noembed|noframes|script|plaintext)(?:[\s/>]|$))/gi;

/** The words on the page, and nothing of tags, comments, titles and alternative texts. */
export function rendered(text: string): string {
  const html = markdown.render(text).replace(asText, '&lt;');
  let seen = '';
  for (let at = 0; at < html.length; ) {
    if (html[at] === '<') {
      const end = markupEnd(html, at);
      if (end > at) {
        at = end;
        continue;
      }
    }
    seen += html[at];
    at += 1;
  }
  return seen;
}

/** Where the tag or comment at `at` ends, which may be nowhere; `at` itself when it is text. */
function markupEnd(html: string, at: number): number {
  if (html.startsWith('<!--', at)) {
    const short = /^<!---?>/.exec(html.slice(at, at + 6));
    return short ? at + short[0].length : after(html, /--!?>/g, at + 4);
  }
  if (/^<(?:[!?]|\/[^A-Za-z])/.test(html.slice(at, at + 3))) return after(html, />/g, at + 2);
  return /^<\/?[A-Za-z]/.test(html.slice(at, at + 3)) ? tagEnd(html, at + 2) : at;
}

function tagEnd(html: string, start: number): number {
  let at = after(html, /(?=[\s/>])/g, start);
  for (;;) {
    at = after(html, /(?=[^\s/])/g, at);
    if (at >= html.length) return html.length;
    if (html[at] === '>') return at + 1;
    at = after(html, /(?=[\s/>=])/g, at + 1);
    const value = /^\s*=\s*(["']?)/.exec(html.slice(at));
    if (!value) continue;
    at += value[0].length;
    at = value[1] ? after(html, new RegExp(value[1], 'g'), at) : after(html, /(?=[\s>])/g, at);
  }
}

function after(html: string, mark: RegExp, from: number): number {
  mark.lastIndex = from;
  const found = mark.exec(html);
  return found ? found.index + found[0].length : html.length;
}
