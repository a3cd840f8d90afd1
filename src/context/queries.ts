/** The GraphQL documents that read one issue or pull request: all connections at once, then what is left by cursor. */

/** GitHub's cap for one page. */
const page = 100;
/**
 * Replies of a thread on the first page. 100 threads × 50 replies is 5,100 of the 500,000 nodes that one query may
 * ask for, and few threads are longer; those that are continue by cursor.
 */
const replies = 50;

const who = `fragment who on Actor { __typename login ... on User { databaseId } ... on Bot { databaseId } }`;
/** `oldest`: from the first on. `newest`: from the last back, so that what is read at most is what is near the trigger. */
const orders = {
  oldest: { size: 'first', from: 'after', pageInfo: 'pageInfo { more: hasNextPage cursor: endCursor }' },
  newest: {
    size: 'last',
    from: 'before',
    pageInfo: 'pageInfo { more: hasPreviousPage cursor: startCursor }',
  },
} as const;
const repliesInfo = `totalCount ${orders.oldest.pageInfo}`;
const commentFields = `id fullDatabaseId url body authorAssociation createdAt publishedAt lastEditedAt isMinimized
  author { ...who }`;
const reviewCommentFields = `${commentFields} pullRequestReview { fullDatabaseId }`;

interface Connection {
  /** The types of GitHub that have it. */
  of: readonly ('Issue' | 'PullRequest')[];
  /** What is read of each node. */
  fields: string;
  order: keyof typeof orders;
  /** Most pages that are read. */
  pages: number;
}

/** What it was called when the run was triggered is found by when it was renamed. */
const title = `title renames: timelineItems(last: 20, itemTypes: [RENAMED_TITLE_EVENT]) {
  nodes { ... on RenamedTitleEvent { createdAt previousTitle } }
}`;
const both = ['Issue', 'PullRequest'] as const;
const pull = ['PullRequest'] as const;
const connections = {
  comments: { of: both, order: 'newest', pages: 30, fields: commentFields },
  labels: { of: both, order: 'oldest', pages: 1, fields: 'name' },
  assignees: { of: both, order: 'oldest', pages: 1, fields: '__typename login' },
  reviews: { of: pull, order: 'newest', pages: 10, fields: `${commentFields} state submittedAt` },
  // All comments of a thread show the same hunk: it is asked for once, not with every reply.
  reviewThreads: {
    of: pull,
    order: 'newest',
    pages: 10,
    fields: `id path line originalLine startLine isResolved isOutdated
      opening: comments(first: 1) { nodes { diffHunk } }
      comments(first: ${replies}) { ${repliesInfo} nodes { ${reviewCommentFields} } }`,
  },
  // GitHub lists 3,000 files and 250 commits at most.
  files: { of: pull, order: 'oldest', pages: 30, fields: 'path changeType additions deletions' },
  commits: {
    of: pull,
    order: 'oldest',
    pages: 3,
    fields: 'commit { oid messageHeadline committedDate author { name user { login } } }',
  },
  closingIssuesReferences: {
    of: pull,
    order: 'oldest',
    pages: 1,
    fields: `number ${title} repository { nameWithOwner }`,
  },
} as const satisfies Record<string, Connection>;

export type ConnectionName = keyof typeof connections;
export type EntityType = 'Issue' | 'PullRequest';

const entityFields = `id ${title} body state createdAt lastEditedAt url authorAssociation author { ...who } milestone { title }`;
const pullRequestFields = `isDraft merged additions deletions
  baseRefName baseRefOid headRefName headRefOid headRepository { nameWithOwner } isCrossRepository maintainerCanModify
  statusCheckRollup { state contexts(first: ${page}) { totalCount nodes {
    __typename ... on CheckRun { name status conclusion title } ... on StatusContext { context state description }
  } } }`;

/** The first page of every connection, with the repository's default branch and who we are. */
function firstPage(type: EntityType): string {
  const field = type === 'Issue' ? 'issue' : 'pullRequest';
  const lists = connectionsOf(type).map(
    (name) =>
      `${name}(${orderOf(name).size}: ${page}) { totalCount ${orderOf(name).pageInfo} nodes { ${connections[name].fields} } }`,
  );
  return `query ${field}($owner: String!, $name: String!, $number: Int!) {
    viewer { login databaseId }
    repository(owner: $owner, name: $name) {
      defaultBranchRef { name target { oid } }
      subject: ${field}(number: $number) {
        ${entityFields}
        ${type === 'PullRequest' ? pullRequestFields : ''}
        ${lists.join('\n')}
      }
    }
  }
  ${who}`;
}

/** The page of `name` that follows in its order, as `node.page`. */
function nextPage(name: ConnectionName): string {
  const { of, fields } = connections[name];
  const { size, from, pageInfo } = orderOf(name);
  const list = `page: ${name}(${size}: ${page}, ${from}: $cursor) { ${pageInfo} nodes { ${fields} } }`;
  return withWho(`query ${name}($id: ID!, $cursor: String!) {
    node(id: $id) { ${of.map((type) => `... on ${type} { ${list} }`).join(' ')} }
  }`);
}

const nextReplies = withWho(`query replies($id: ID!, $cursor: String!) {
  node(id: $id) { ... on PullRequestReviewThread {
    page: comments(first: ${page}, after: $cursor) { ${orders.oldest.pageInfo} nodes { ${reviewCommentFields} } }
  } }
}`);

/** GraphQL refuses a fragment that is defined and not used. */
function withWho(query: string): string {
  return query.includes('...who') ? `${query}\n${who}` : query;
}

/** The connections that an issue or a pull request has. */
export function connectionsOf(type: EntityType): ConnectionName[] {
  const names = Object.keys(connections) as ConnectionName[];
  return names.filter((name) => (connections[name].of as readonly string[]).includes(type));
}

function orderOf(name: ConnectionName) {
  return orders[connections[name].order];
}

/** How far a connection is read, and in which order. */
export function reachOf(name: ConnectionName): Pick<Connection, 'order' | 'pages'> {
  return connections[name];
}

/** Every document by what it reads: `first` per entity, `next` per connection, `replies` of one review thread. */
export const queries = {
  first: { Issue: firstPage('Issue'), PullRequest: firstPage('PullRequest') },
  next: Object.fromEntries(
    (Object.keys(connections) as ConnectionName[]).map((name) => [name, nextPage(name)]),
  ) as Record<ConnectionName, string>,
  replies: nextReplies,
};
