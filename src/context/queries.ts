/** The GraphQL documents that read one issue or pull request: all connections at once, then what is left by cursor. */

/** GitHub's cap for `first`. */
const page = 100;
/**
 * Replies of a thread on the first page. 100 threads × 50 replies is 5,100 of the 500,000 nodes that one query may
 * ask for, and few threads are longer; those that are continue by cursor.
 */
const replies = 50;

const who = `fragment who on Actor { __typename login ... on User { databaseId } ... on Bot { databaseId } }`;
const pageInfo = 'pageInfo { hasNextPage endCursor }';
const commentFields = `fullDatabaseId url body authorAssociation createdAt publishedAt lastEditedAt isMinimized
  author { ...who }`;
const reviewCommentFields = `${commentFields} pullRequestReview { fullDatabaseId }`;

/** What is read of each node of a connection, and the types of GitHub that have the connection. */
const connections = {
  comments: { of: ['Issue', 'PullRequest'], fields: commentFields },
  labels: { of: ['Issue', 'PullRequest'], fields: 'name' },
  assignees: { of: ['Issue', 'PullRequest'], fields: '__typename login' },
  reviews: { of: ['PullRequest'], fields: `${commentFields} state submittedAt` },
  // All comments of a thread show the same hunk: it is asked for once, not with every reply.
  reviewThreads: {
    of: ['PullRequest'],
    fields: `id path line originalLine startLine isResolved isOutdated
      opening: comments(first: 1) { nodes { diffHunk } }
      comments(first: ${replies}) { ${pageInfo} nodes { ${reviewCommentFields} } }`,
  },
  files: { of: ['PullRequest'], fields: 'path changeType additions deletions' },
  commits: { of: ['PullRequest'], fields: 'commit { oid messageHeadline author { name user { login } } }' },
  closingIssuesReferences: { of: ['PullRequest'], fields: 'number title' },
} as const;

export type ConnectionName = keyof typeof connections;
export type EntityType = 'Issue' | 'PullRequest';

const entityFields = `id title body state createdAt url authorAssociation author { ...who } milestone { title }`;
const pullRequestFields = `isDraft merged additions deletions
  baseRefName baseRefOid headRefName headRefOid headRepository { nameWithOwner } isCrossRepository maintainerCanModify
  statusCheckRollup { state }`;

/** The first page of every connection, with the repository's default branch and who we are. */
function firstPage(type: EntityType): string {
  const field = type === 'Issue' ? 'issue' : 'pullRequest';
  const lists = connectionsOf(type).map(
    (name) => `${name}(first: ${page}) { totalCount ${pageInfo} nodes { ${connections[name].fields} } }`,
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

/** The page of `name` after `$cursor`, as `node.page`. */
function nextPage(name: ConnectionName): string {
  const { of, fields } = connections[name];
  const list = `page: ${name}(first: ${page}, after: $cursor) { ${pageInfo} nodes { ${fields} } }`;
  return withWho(`query ${name}($id: ID!, $cursor: String!) {
    node(id: $id) { ${of.map((type) => `... on ${type} { ${list} }`).join(' ')} }
  }`);
}

const nextReplies = withWho(`query replies($id: ID!, $cursor: String!) {
  node(id: $id) { ... on PullRequestReviewThread {
    page: comments(first: ${page}, after: $cursor) { ${pageInfo} nodes { ${reviewCommentFields} } }
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

/** Every document by what it reads: `first` per entity, `next` per connection, `replies` of one review thread. */
export const queries = {
  first: { Issue: firstPage('Issue'), PullRequest: firstPage('PullRequest') },
  next: Object.fromEntries(
    (Object.keys(connections) as ConnectionName[]).map((name) => [name, nextPage(name)]),
  ) as Record<ConnectionName, string>,
  replies: nextReplies,
};
