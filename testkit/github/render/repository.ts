/** Repositories and labels as GitHub's JSON shows them. */
import type { Label, Milestone, Repository, Role } from '../model.ts';
import { fullName, type Store } from '../store.ts';
import { renderUser } from './user.ts';

/** Names of the API addresses of a repository, with what follows its own. */
const addresses: Record<string, string> = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
};

/** API address of a repository. */
export function repositoryUrl(store: Store, repository: Repository): string {
  return `${store.site.apiUrl}/repos/${fullName(repository)}`;
}

/** Page address of a repository. */
export function repositoryPage(store: Store, repository: Repository): string {
  return `${store.site.serverUrl}/${fullName(repository)}`;
}

/** `minimal-repository`: who and where. */
export function renderMinimalRepository(store: Store, repository: Repository) {
  const url = repositoryUrl(store, repository);
  return {
    id: repository.id,
    node_id: repository.nodeId,
    name: repository.name,
    full_name: fullName(repository),
    private: repository.private,
    owner: renderUser(store, repository.owner),
    html_url: repositoryPage(store, repository),
    description: repository.description,
    fork: repository.parent !== null,
    url,
    ...Object.fromEntries(Object.entries(addresses).map(([name, rest]) => [name, url + rest])),
  };
}

/** `repository`, as payloads and lists have it. @param role adds what the requester may. */
export function renderRepository(store: Store, repository: Repository, role?: Role) {
  const page = repositoryPage(store, repository);
  const host = new URL(store.site.serverUrl).host;
  const open = store.subjects(repository).filter((subject) => subject.state === 'open').length;
  const forks = [...store.repositories.values()].filter((other) => other.parent === repository).length;
  return {
    ...renderMinimalRepository(store, repository),
    created_at: repository.createdAt,
    updated_at: repository.updatedAt,
    pushed_at: repository.updatedAt,
    git_url: `git://${host}/${fullName(repository)}.git`,
    ssh_url: `git@${host}:${fullName(repository)}.git`,
    clone_url: `${page}.git`,
    svn_url: page,
    homepage: null,
    size: 1,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: true,
    has_projects: false,
    has_downloads: true,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    forks_count: forks,
    mirror_url: null,
    archived: false,
    disabled: false,
    open_issues_count: open,
    license: null,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    visibility: repository.private ? 'private' : 'public',
    forks,
    open_issues: open,
    watchers: 0,
    default_branch: repository.defaultBranch,
    ...(role ? { permissions: renderPermissions(role) } : {}),
  };
}

/** How pull requests may be merged; in the ends of a pull request and in the full repository. */
export const mergeSettings = {
  allow_squash_merge: true,
  allow_merge_commit: true,
  allow_rebase_merge: true,
  delete_branch_on_merge: false,
};

/** `full-repository`: what asking for one repository answers. */
export function renderFullRepository(
  store: Store,
  repository: Repository,
  role?: Role,
): Record<string, unknown> {
  const related = repository.parent && renderRepository(store, repository.parent);
  return {
    ...renderRepository(store, repository, role),
    network_count: 0,
    subscribers_count: 0,
    ...mergeSettings,
    ...(related ? { parent: related, source: related } : {}),
  };
}

export function renderPermissions(role: Role) {
  const rank = ['none', 'read', 'triage', 'write', 'maintain', 'admin'].indexOf(role);
  return { admin: rank >= 5, maintain: rank >= 4, push: rank >= 3, triage: rank >= 2, pull: rank >= 1 };
}

export function renderLabel(store: Store, label: Label) {
  return {
    id: label.id,
    node_id: label.nodeId,
    url: `${repositoryUrl(store, label.repository)}/labels/${encodeURIComponent(label.name)}`,
    name: label.name,
    color: label.color,
    default: false,
    description: label.description ?? '',
  };
}

export function renderMilestone(store: Store, milestone: Milestone | null) {
  if (!milestone) return null;
  const url = `${repositoryUrl(store, milestone.repository)}/milestones/${milestone.number}`;
  return {
    url,
    html_url: `${repositoryPage(store, milestone.repository)}/milestone/${milestone.number}`,
    labels_url: `${url}/labels`,
    id: milestone.id,
    node_id: milestone.nodeId,
    number: milestone.number,
    title: milestone.title,
    description: null,
    creator: renderUser(store, milestone.creator),
    open_issues: 0,
    closed_issues: 0,
    state: 'open',
    created_at: milestone.createdAt,
    updated_at: milestone.createdAt,
    due_on: null,
    closed_at: null,
  };
}
