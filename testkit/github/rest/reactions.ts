/** REST: reactions to issues, comments and review comments. */
import type { Need } from '../access.ts';
import type { Reactable } from '../model.ts';
import { type ReactionContent, reactionContents } from '../model.ts';
import { renderReaction } from '../render/issue.ts';
import { react, unreact } from '../state/written.ts';
import {
  actor,
  type Call,
  created,
  noContent,
  numberOf,
  ok,
  paginate,
  type Route,
  requiredText,
} from './call.ts';
import { commentOf } from './comments.ts';
import { subjectOf } from './issues.ts';
import { invalid, notFound } from './problem.ts';
import { reviewCommentOf } from './review-comments.ts';

export const reactionRoutes: Route[] = [
  ...family('/repos/{owner}/{repo}/issues/{issue_number}', ['issues', 'pull_requests'], (call) =>
    subjectOf(call),
  ),
  ...family('/repos/{owner}/{repo}/issues/comments/{comment_id}', ['issues', 'pull_requests'], commentOf),
  ...family('/repos/{owner}/{repo}/pulls/comments/{comment_id}', ['pull_requests'], reviewCommentOf),
];

function family(path: string, permissions: string[], find: (call: Call) => Reactable): Route[] {
  const read = permissions.map((name): Need => `${name}:read`);
  const write = permissions.map((name): Need => `${name}:write`);
  return [
    {
      method: 'GET',
      path: `${path}/reactions`,
      need: read,
      handle: (call) => {
        const content = call.query.get('content');
        const found = find(call).reactions.filter((reaction) => !content || reaction.content === content);
        return paginate(call, found, (reaction) => renderReaction(call.store, reaction));
      },
    },
    {
      method: 'POST',
      path: `${path}/reactions`,
      need: write,
      role: 'read',
      handle: (call) => add(call, find(call)),
    },
    {
      method: 'DELETE',
      path: `${path}/reactions/{reaction_id}`,
      need: write,
      role: 'read',
      handle: (call) => {
        const id = numberOf(call, 'reaction_id');
        const user = actor(call);
        if (!unreact(find(call), (reaction) => reaction.id === id && reaction.user === user))
          throw notFound();
        return noContent();
      },
    },
  ];
}

function add(call: Call, subject: Reactable) {
  const content = requiredText(call, 'content') as ReactionContent;
  if (!reactionContents.includes(content)) throw invalid('Reaction', 'content', 'invalid');
  const { reaction, added } = react(call.store, subject, content, actor(call));
  const body = renderReaction(call.store, reaction);
  return added ? created(body) : ok(body);
}
