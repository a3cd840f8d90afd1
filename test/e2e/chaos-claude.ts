/** A scripted Claude for stories in which anything may die: it does what it was asked once, and looks before it repeats. */
import type { ModelRequest } from '../../testkit/claude/request.ts';
import type { Script, Step } from '../../testkit/claude/step.ts';
import { bash } from '../../testkit/claude/tools.ts';

/** What people write, so that Claude does `what`. */
export const wish = (what: string) => `Please do ${what}.`;

/** How often people have asked for `what` in the conversation that a request shows. */
export function timesHeard(request: ModelRequest, what: string): number {
  return (request.body.messages ?? [])
    .filter(({ role }) => role !== 'assistant')
    .map(({ content }) => JSON.stringify(content).split(wish(what)).length - 1)
    .reduce((sum, times) => sum + times, 0);
}

export interface Worker {
  /** Called at each request before it is answered. */
  atRequest?(request: ModelRequest): Promise<void>;
  /** Milliseconds between the effect of a command and its end. */
  lingerMs?: number;
}

/** The file in which each effect is a line. */
export const effects = 'effects.txt';

/** For `model.when`: everything that was asked for is done by one command each, then reported. */
export function diligent({ atRequest, lingerMs = 0 }: Worker = {}): Script {
  const linger = lingerMs > 0 ? `sleep ${lingerMs / 1000}; ` : '';
  const step = async (request: ModelRequest): Promise<Step> => {
    await atRequest?.(request);
    const { asked, said } = read(request);
    for (const what of asked) {
      const next = nextFor(request, what);
      if (next === 'look') return { tools: [look(what)] };
      if (next === 'make')
        return {
          tools: [
            bash(
              `echo ${what} >> ${effects}; ${linger}git add -A && git commit -qm "Do ${what}" && echo made ${what}`,
            ),
          ],
        };
    }
    const fresh = asked.filter((what) => !said.includes(`did ${what}.`));
    return { text: fresh.length > 0 ? fresh.map((what) => `I did ${what}.`).join(' ') : 'All is done.' };
  };
  // Enough for every story; a tool that is refused must not be tried for ever.
  return Array.from({ length: 40 }, () => step);
}

function look(what: string) {
  return bash(`grep -qx ${what} ${effects} && echo made ${what} || echo absent ${what}`);
}

function read(request: ModelRequest) {
  const messages = request.body.messages ?? [];
  const textOf = (role: 'user' | 'assistant') =>
    messages
      .filter((message) => (message.role === 'assistant') === (role === 'assistant'))
      .map(({ content }) => JSON.stringify(content))
      .join('\n');
  const asked = [...textOf('user').matchAll(/Please do ([\w-]+)\./g)].map((match) => match[1]!);
  return { asked: [...new Set(asked)], said: textOf('assistant') };
}

/** A command whose outcome the conversation does not hold is not repeated before a look; nor what a move may have undone. */
function nextFor(request: ModelRequest, what: string): 'make' | 'look' | 'done' {
  let next: 'make' | 'look' | 'done' = 'make';
  for (const { role, content } of request.body.messages ?? []) {
    const text = JSON.stringify(content);
    if (role === 'assistant') {
      if (text.includes(`echo ${what} >> `)) next = 'look';
      continue;
    }
    if (new RegExp(`made ${what}\\b(?!-)`).test(text)) next = 'done';
    if (new RegExp(`absent ${what}\\b(?!-)`).test(text)) next = 'make';
    if (text.includes('in a new workspace') && next === 'done') next = 'look';
  }
  return next;
}
