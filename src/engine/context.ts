/** What one run knows of its issue or pull request: read whole, seen as of the trigger, with its images at hand. */
import { type FetchedThread, fetchThread } from '../context/fetch.ts';
import { filterThread } from '../context/filter.ts';
import { fetchImages } from '../context/images.ts';
import { attachmentAt, downloadAttachment, isSigned } from '../github/attachments.ts';
import { sanitise } from '../prompt/sanitise.ts';
import type { Subject } from '../words/event.ts';
import type { Task } from '../words/task.ts';
import type { Connection } from './connect.ts';
import type { Door } from './door.ts';
import { imagesPath, openPlace } from './scratch.ts';

/** What was gathered for tag mode; null in agent mode, which adds nothing to its prompt. */
export type Gathered = (FetchedThread & { images: ReadonlyMap<string, string> }) | null;

export interface GatherRequest {
  door: Door;
  task: Task;
  connection: Connection;
  /** This run's own; asked when the thread has been read, as it may be posted meanwhile. */
  trackingCommentId(): number | null;
}

type Named = Pick<Subject, 'kind' | 'number'>;

/** The thread as it was when the run was triggered. */
export async function readThread(request: GatherRequest, { kind, number }: Named): Promise<FetchedThread> {
  const { door, task, connection } = request;
  const { graphql } = connection.client;
  const fetched = await fetchThread({ graphql, repository: task.repository, kind, number });
  const thread = filterThread({
    ...fetched,
    task,
    include: door.config.includeCommentsByActor,
    exclude: door.config.excludeCommentsByActor,
    trackingCommentId: request.trackingCommentId(),
  });
  return { ...fetched, thread };
}

export async function gatherThread(request: GatherRequest, subject: Named): Promise<NonNullable<Gathered>> {
  const { door, task, connection } = request;
  const fetched = await readThread(request, subject);
  const { thread } = fetched;
  const { serverUrl } = door.host;
  const images = await fetchImages({
    thread,
    item: 'item' in task.trigger ? (task.trigger.item ?? null) : null,
    visible: sanitise,
    graphql: connection.client.graphql,
    host: {
      find: (address) => attachmentAt(address, serverUrl),
      isSigned: (address, image) => isSigned(address, image, serverUrl),
      download: (wanted) => downloadAttachment({ serverUrl, token: connection.credential.token }, wanted),
    },
    directory: await openPlace(imagesPath(door.scratch)),
    signal: door.signal,
  });
  const leftOut = [...thread.leftOut, ...images.leftOut];
  return { ...fetched, thread: { ...thread, leftOut }, images: images.files };
}
