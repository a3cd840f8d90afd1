/** The table of every REST route, family by family. */

import { actionRoutes } from './actions.ts';
import { appRoutes } from './apps.ts';
import type { Route } from './call.ts';
import { checkRoutes } from './checks.ts';
import { commentRoutes } from './comments.ts';
import { commitRoutes } from './commits.ts';
import { contentRoutes } from './contents.ts';
import { gitDataRoutes } from './git-data.ts';
import { hookRoutes } from './hooks.ts';
import { issueRoutes } from './issues.ts';
import { pullRoutes } from './pulls.ts';
import { reactionRoutes } from './reactions.ts';
import { repositoryRoutes } from './repositories.ts';
import { reviewCommentRoutes } from './review-comments.ts';
import { reviewRoutes } from './reviews.ts';
import { userRoutes } from './users.ts';

export const routes: Route[] = [
  ...userRoutes,
  ...appRoutes,
  ...hookRoutes,
  ...repositoryRoutes,
  ...contentRoutes,
  ...commitRoutes,
  ...gitDataRoutes,
  ...issueRoutes,
  ...commentRoutes,
  ...reactionRoutes,
  ...pullRoutes,
  ...reviewRoutes,
  ...reviewCommentRoutes,
  ...checkRoutes,
  ...actionRoutes,
];
