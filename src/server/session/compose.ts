/** Puts messages into the words that Claude gets, once and for good: a restart says the same again. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { OutgoingMessage } from '../../claude/conversation.ts';
import type { FetchedThread } from '../../context/fetch.ts';
import { promptFor } from '../../engine/prompt.ts';
import { type BaseConfiguration, configurationFacts } from '../../engine/trusted-config.ts';
import { followUpText, noteText, preparedText } from '../../prompt/live.ts';
import type { ToolServer } from '../../words/tool.ts';
import { type Composed, keepComposed, type Message } from '../store/session-messages.ts';
import { kept, type SessionContext } from './context.ts';
import type { Ready } from './prepare.ts';

export interface Setup {
  exitCode: number | null;
  output: string;
}

export interface Composer {
  gather(): Promise<FetchedThread>;
  ready: Ready;
  servers: ToolServer[];
  configuration: BaseConfiguration | null;
}

/** The message as it is sent; null when it was withdrawn meanwhile. */
export async function compose(
  context: SessionContext,
  composer: Composer,
  message: Message,
): Promise<OutgoingMessage[] | null> {
  let { composed } = message;
  if (!composed) {
    composed = await words(context, composer, message);
    if (!(await keepComposed(context.database, context.held, { id: message.id, composed }))) return null;
    message.composed = composed;
  }
  const { material, materialId, text, verbatim } = composed;
  return [
    ...(material && materialId ? [{ uuid: materialId, text: material, verbatim: true, asks: false }] : []),
    { uuid: message.id, text, verbatim, asks: true },
  ];
}

async function words(context: SessionContext, composer: Composer, message: Message): Promise<Composed> {
  const alone = { material: null, materialId: null };
  if (message.kind === 'task') return firstWords(context, composer);
  if (message.kind === 'note')
    return { ...alone, text: noteText(message.actor, message.body), verbatim: true };
  const { actor, item, body } = message;
  return { ...alone, ...followUpText({ actor, item, body, key: context.thread.key }) };
}

/** The whole thread as material, and the person's own words as a message of their own. */
async function firstWords(context: SessionContext, composer: Composer): Promise<Composed> {
  const { door, task, thread } = context;
  const { gather, ready, servers, configuration } = composer;
  const { text, request } = promptFor({
    door,
    task,
    gathered: await gather(),
    checkout: ready.checkout,
    servers,
    configuration: await configurationFacts(configuration, ready.checkout.publishing.gate.base),
  });
  const facts = {
    pullUrl: thread.kind === 'issue' ? thread.pullUrl : null,
    template: ready.template,
    setup: kept<Setup>(context, 'setup'),
  };
  const prepared = preparedText(facts, randomBytes(16).toString('hex'));
  const all = [text, prepared].filter(Boolean).join('\n\n');
  if (request === null) return { material: null, materialId: null, text: all, verbatim: true };
  return { material: all, materialId: randomUUID(), text: request, verbatim: false };
}
