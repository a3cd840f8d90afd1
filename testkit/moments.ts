/** The moments before and after a request takes effect, at which tests look, wait, or kill whoever has asked. */

export interface Moment<Request> {
  request: Request;
  /** `before`: it has arrived, nothing was done. `after`: everything was done, and the answer has not ended yet. */
  phase: 'before' | 'after';
}

/** The request waits for it. `drop`: whoever asked is gone, so nothing (more) is done and no answer sent. Other answers are left unread. */
export type Watcher<Request> = (moment: Moment<Request>) => unknown;

export class Moments<Request> {
  private readonly watchers = new Set<Watcher<Request>>();

  /** The returned function ends it. */
  watch(watcher: Watcher<Request>): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }

  /** @returns whether to go on with the request. */
  async pass(moment: Moment<Request>): Promise<boolean> {
    let goesOn = true;
    for (const watcher of [...this.watchers]) if ((await watcher(moment)) === 'drop') goesOn = false;
    return goesOn;
  }
}
