/** GraphQL: users, bots and organisations. */
import type { User } from '../../model.ts';
import { connection } from '../connection.ts';
import type { Request, View } from './view.ts';

/** Somebody as `Actor`. GraphQL's logins of bots lack `[bot]`, unlike REST's. */
export function actorView(request: Request, user: User | null): View | null {
  if (!user) return null;
  return { ...userView(request, user), __typename: user.type, login: user.login.replace(/\[bot\]$/, '') };
}

/** Somebody where the schema knows only `User`: assignees, the viewer, authors of commits. */
export function userView({ store }: Request, user: User): View {
  const { serverUrl } = store.site;
  return {
    __typename: 'User',
    id: user.nodeId,
    databaseId: user.id,
    fullDatabaseId: String(user.id),
    login: user.login,
    name: user.name,
    email: '',
    url: `${serverUrl}/${user.login}`,
    resourcePath: `/${user.login}`,
    avatarUrl: `${serverUrl}/avatars/u/${user.id}?v=4`,
    createdAt: user.createdAt,
    updatedAt: user.createdAt,
    bio: null,
    company: null,
    isViewer: false,
    organizations: connection(
      () => [],
      () => null,
    ),
  };
}
