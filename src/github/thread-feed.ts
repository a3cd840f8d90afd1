/** What is said on an issue or pull request, asked for again and again: of what has not changed GitHub sends nothing. */
import type { GitHubClient } from './client.ts';

/** As GitHub's REST API lists it; unchecked but for what everything of the kind has. */
export interface ListedItem {
  id: number;
  node_id: string;
  html_url: string;
  body?: string | null;
  user: { login: string; type: string } | null;
  created_at?: string;
}

export interface FeedItem {
  kind: 'issue_comment' | 'review_comment' | 'review';
  raw: ListedItem;
}

export interface FeedAddress {
  repository: { owner: string; name: string };
  number: number;
  kind: 'issue' | 'pull_request';
  /** ISO 8601: comments that have not changed since then are left out. */
  since: string;
}

const perPage = 100;
/** Most pages of a list: what is said in one run fills few. */
const mostPages = 10;

interface Page {
  etag: string | null;
  items: ListedItem[];
}

interface List {
  kind: FeedItem['kind'];
  route: string;
  takesSince: boolean;
  pages: Page[];
}

const lists: Omit<List, 'pages'>[] = [
  {
    kind: 'issue_comment',
    route: 'GET /repos/{owner}/{repo}/issues/{number}/comments',
    takesSince: true,
  },
  { kind: 'review_comment', route: 'GET /repos/{owner}/{repo}/pulls/{number}/comments', takesSince: true },
  { kind: 'review', route: 'GET /repos/{owner}/{repo}/pulls/{number}/reviews', takesSince: false },
];

export class ThreadFeed {
  private readonly client: GitHubClient;
  private readonly address: FeedAddress;
  private readonly lists: List[];
  private items: FeedItem[] = [];

  constructor(client: GitHubClient, address: FeedAddress) {
    this.client = client;
    this.address = address;
    const listed = address.kind === 'issue' ? lists.slice(0, 1) : lists;
    this.lists = listed.map((list) => ({ ...list, pages: [] }));
  }

  /** What the last look has found. */
  get latest(): FeedItem[] {
    return this.items;
  }

  /** All that was said since, as it stands now. @throws as the client does. */
  async poll(): Promise<FeedItem[]> {
    const all = await Promise.all(this.lists.map((list) => this.read(list)));
    this.items = all.flat();
    return this.items;
  }

  private async read(list: List): Promise<FeedItem[]> {
    for (let page = 0; page < mostPages; page += 1) {
      list.pages[page] = await this.readPage(list, page);
      if (list.pages[page]!.items.length < perPage) break;
    }
    return list.pages.flatMap(({ items }) => items.map((raw) => ({ kind: list.kind, raw })));
  }

  private async readPage({ route, takesSince, pages }: List, page: number): Promise<Page> {
    const { repository, number, since } = this.address;
    const parameters = {
      ...{ owner: repository.owner, repo: repository.name, number, per_page: perPage },
      ...(takesSince && { since }),
      ...(page > 0 && { page: page + 1 }),
    };
    const known = pages[page];
    const changed = await this.client.changed<ListedItem[]>(route, parameters, known?.etag ?? null);
    return changed ? { etag: changed.etag, items: changed.data } : known!;
  }
}
