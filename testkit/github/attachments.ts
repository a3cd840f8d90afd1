/** Files that people attach to texts: their own address, which GitHub opens to few, and the signed one in the HTML of the text. */
import { randomUUID } from 'node:crypto';
import type { Identity } from './access.ts';
import type { Answer } from './rest/call.ts';
import type { AttachedFile, Store } from './store.ts';

/** Uploads a file as GitHub's page does; gives the address that texts name it by. */
export function attach(store: Store, bytes: Uint8Array): string {
  const file = { id: randomUUID(), bytes, signature: randomUUID() };
  store.attachments.set(file.id, file);
  return `${store.site.serverUrl}/user-attachments/assets/${file.id}`;
}

/** The address for people and their personal tokens: an App's token does not open it, as with private repositories. */
export function answerAttachment(store: Store, identity: Identity, path: string): Answer {
  const file = store.attachments.get(path.split('/').at(-1)!);
  const isPerson = identity.kind === 'token' && identity.token.kind === 'pat';
  if (!file || !isPerson)
    return { status: 404, headers: { 'content-type': 'text/plain' }, body: 'Not Found' };
  return { status: 302, headers: { location: signedAddress(store, file) } };
}

/** The signed address, for whoever has it. */
export function answerSigned(store: Store, path: string, query: URLSearchParams): Answer {
  const id = /([0-9a-f-]{36})\.bin$/.exec(path)?.[1] ?? '';
  const file = store.attachments.get(id);
  if (!file || query.get('jwt') !== file.signature) return { status: 404, body: { message: 'Not Found' } };
  return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: file.bytes };
}

/** A text as HTML, as far as its images matter: their addresses are signed. */
export function bodyHtml(store: Store, body: string): string {
  const images = [...body.matchAll(/\/user-attachments\/assets\/([0-9a-f-]{36})/g)].flatMap(([, id]) => {
    const file = store.attachments.get(id!);
    return file ? [`<img src="${signedAddress(store, file)}&amp;from=text" alt="">`] : [];
  });
  const text = body.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
  return `<p>${text}</p>${images.join('')}`;
}

function signedAddress(store: Store, { id, signature }: AttachedFile): string {
  return `${store.site.serverUrl}/_attachments/1/2-${id}.bin?jwt=${signature}`;
}
