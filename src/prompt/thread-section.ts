/** The section of a prompt, or the answer of a tool, that shows one thread as far as it fits. */
import type { Thread } from '../words/thread.ts';
import type { Chosen } from './budget.ts';

export function threadSection(
  { thread, images }: { thread: Thread; images: string | null },
  { sections }: Chosen,
  leftOut: Thread['leftOut'],
): string {
  const titles = {
    opening: null,
    changes: 'Changes',
    conversation: 'Conversation',
    threads: 'Review threads',
  };
  const noun = thread.kind === 'issue' ? 'Issue' : 'Pull request';
  const facts = thread.pullRequest;
  const state = [thread.state, ...(facts?.merged ? ['merged'] : []), ...(facts?.draft ? ['draft'] : [])].join(
    ', ',
  );
  const size = facts
    ? `, ${facts.commitCount} ${facts.commitCount === 1 ? 'commit' : 'commits'}, +${facts.additions} -${facts.deletions}`
    : '';
  const parts = [`## ${noun} #${thread.number} (${state}${size})`];
  if (images) parts.push(images);
  for (const [section, title] of Object.entries(titles)) {
    const texts = sections.get(section as keyof typeof titles)?.filter(Boolean) ?? [];
    if (texts.length > 0) parts.push([...(title ? [`### ${title}`] : []), ...texts].join('\n'));
  }
  if (leftOut.length > 0) {
    const lines = leftOut.map(
      ({ what, count, why, by }) => `- ${count > 0 ? `${count} ` : ''}${what}: ${why}${by ? ` (${by})` : ''}`,
    );
    parts.push(['### Not shown', ...lines].join('\n'));
  }
  return parts.join('\n\n');
}
