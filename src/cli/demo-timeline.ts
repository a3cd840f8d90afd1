/** Prints what happens in a demo as it happens: seconds, what, and a link where there is something to look at. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A request as the local GitHub logs it. */
interface Seen {
  method: string;
  path: string;
  status: number | null;
}

/** What a request means to somebody who watches; requests of other kinds are not shown. */
const meanings: { method: string; path: RegExp; says: string; once?: boolean }[] = [
  {
    method: 'GET',
    path: /\/collaborators\/[^/]+\/permission$/,
    says: 'may octocat do this? GitHub is asked',
  },
  { method: 'POST', path: /\/issues\/\d+\/comments$/, says: 'a comment shows that Claude works' },
  { method: 'PATCH', path: /\/issues\/comments\/\d+$/, says: 'the comment shows how far it is' },
  { method: 'POST', path: /\/git-receive-pack$/, says: 'the branch is pushed over Git’s smart HTTP' },
];

export class Timeline {
  private readonly started = Date.now();

  get seconds(): string {
    return ((Date.now() - this.started) / 1000).toFixed(1);
  }

  say(what: string, link?: string): void {
    console.log(`${this.seconds.padStart(6)} s  ${what}${link ? `\n          ${link}` : ''}`);
  }

  /** One line of the action's own log. */
  log(line: string): void {
    const tool = /^\s*[\d.]+ s {2}(.*)$/.exec(line)?.[1];
    if (tool) this.say(`Claude: ${tool}`);
    const problem = /^(?:Error|Warning|Notice|##\[(?:error|warning|notice)\]): ?(.*)$/.exec(line)?.[1];
    if (problem) this.say(problem);
  }

  /** Follows a growing list of requests until `stop`. */
  watch(requests: readonly Seen[], serverUrl: string): { stop(): void } {
    const over = new AbortController();
    let at = 0;
    const look = () => {
      for (; at < requests.length && requests[at]!.status !== null; at += 1) {
        const { method, path } = requests[at]!;
        const meaning = meanings.find(
          (candidate) => candidate.method === method && candidate.path.test(path.split('?')[0]!),
        );
        if (meaning)
          this.say(
            meaning.says,
            meaning.method === 'POST' && path.includes('/comments') ? pageOf(path, serverUrl) : undefined,
          );
      }
    };
    void (async () => {
      while (!over.signal.aborted) {
        look();
        await sleep(50, undefined, { signal: over.signal, ref: false }).catch(() => {});
      }
    })();
    return {
      stop: () => {
        look();
        over.abort();
      },
    };
  }
}

function pageOf(path: string, serverUrl: string): string {
  const [, owner, repo, number] = /\/repos\/([^/]+)\/([^/]+)\/issues\/(\d+)/.exec(path) ?? [];
  return `${serverUrl}/${owner}/${repo}/issues/${number}`;
}
