/** Puts messages into the words that Claude gets, once and for good: a restart says the same again. */
import { randomUUID } from 'node:crypto';
import type { OutgoingMessage } from '../../claude/conversation.ts';
import type { FetchedThread } from '../../context/fetch.ts';
import { readThread } from '../../engine/context.ts';
import { newNonce } from '../../engine/markers.ts';
import { promptFor } from '../../engine/prompt.ts';
import { type BaseConfiguration, configurationFacts } from '../../engine/trusted-config.ts';
import { followUpText, noteText, preparedText } from '../../prompt/live.ts';
import type { Shelf } from '../../prompt/shelf.ts';
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
  /** Told when the first message is written. */
  onShelf(shelf: Shelf): void;
}

/** What the first message was made of, where an earlier session has written it. */
export async function openShelf(
  context: SessionContext,
  { ready, servers }: Pick<Composer, 'ready' | 'servers'>,
): Promise<Shelf> {
  const { door, task, thread, connection } = context;
  const gathered = await readThread({ door, task, connection, trackingCommentId: () => null }, thread);
  const { checkout } = ready;
  return promptFor({ door, task, gathered, checkout, servers, configuration: null }).shelf!;
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
  const { gather, ready, servers, configuration, onShelf } = composer;
  const { text, request, shelf } = promptFor({
    door,
    task,
    gathered: await gather(),
    checkout: ready.checkout,
    servers,
    configuration: await configurationFacts(configuration, ready.checkout.publishing.gate.base),
  });
  if (shelf) onShelf(shelf);
  const facts = {
    pullUrl: thread.kind === 'issue' ? thread.pullUrl : null,
    template: ready.template,
    setup: kept<Setup>(context, 'setup'),
  };
  const prepared = preparedText(facts, newNonce());
  const all = [text, prepared].filter(Boolean).join('\n\n');
  if (request === null) return { material: null, materialId: null, text: all, verbatim: true };
  return { material: all, materialId: randomUUID(), text: request, verbatim: false };
}
