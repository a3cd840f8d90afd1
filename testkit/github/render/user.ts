/** Users and Apps as GitHub's JSON shows them. */
import type { App, Installation } from '../app-model.ts';
import type { User } from '../model.ts';
import type { Store } from '../store.ts';

/** `simple-user` */
export function renderUser(store: Store, user: User) {
  const url = `${store.site.apiUrl}/users/${encodeURIComponent(user.login)}`;
  return {
    login: user.login,
    id: user.id,
    node_id: user.nodeId,
    avatar_url: `${store.site.serverUrl}/avatars/u/${user.id}?v=4`,
    gravatar_id: '',
    url,
    html_url: `${store.site.serverUrl}/${user.type === 'Bot' ? `apps/${user.login.replace(/\[bot\]$/, '')}` : user.login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: user.type,
    user_view_type: 'public',
    site_admin: false,
  };
}

/** A deleted account is null in JSON. */
export function renderAuthor(store: Store, user: User | null) {
  return user ? renderUser(store, user) : null;
}

/** `public-user` */
export function renderProfile(store: Store, user: User) {
  return {
    ...renderUser(store, user),
    name: user.name,
    company: null,
    blog: '',
    location: null,
    email: null,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: [...store.repositories.values()].filter((repository) => repository.owner === user).length,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: user.createdAt,
    updated_at: user.createdAt,
  };
}

/** `integration` */
export function renderApp(store: Store, app: App) {
  return {
    id: app.id,
    slug: app.slug,
    node_id: app.nodeId,
    owner: renderUser(store, app.owner),
    name: app.name,
    description: '',
    external_url: store.site.serverUrl,
    html_url: `${store.site.serverUrl}/apps/${app.slug}`,
    created_at: app.createdAt,
    updated_at: app.createdAt,
    permissions: app.permissions,
    events: app.events,
  };
}

/** `installation` */
export function renderInstallation(store: Store, installation: Installation) {
  const url = `${store.site.apiUrl}/app/installations/${installation.id}`;
  return {
    id: installation.id,
    account: renderUser(store, installation.account),
    repository_selection: installation.repositories ? 'selected' : 'all',
    access_tokens_url: `${url}/access_tokens`,
    repositories_url: `${store.site.apiUrl}/installation/repositories`,
    html_url: `${store.site.serverUrl}/settings/installations/${installation.id}`,
    app_id: installation.app.id,
    app_slug: installation.app.slug,
    target_id: installation.account.id,
    target_type: installation.account.type === 'Organization' ? 'Organization' : 'User',
    permissions: installation.permissions,
    events: installation.app.events,
    created_at: installation.createdAt,
    updated_at: installation.createdAt,
    single_file_name: null,
    suspended_by: null,
    suspended_at: null,
  };
}
