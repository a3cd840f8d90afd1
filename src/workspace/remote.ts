/** A repository on a server, and the credential that one process may use for it. */
import type { Secret } from '../words/secret.ts';

/** A repository to fetch from or push to. The token reaches only the one process that is given this. */
export interface Remote {
  /** `https://github.com/owner/repo.git`; `http:` and `file:` are for tests. Never with user information. */
  url: string;
  token: Secret | null;
}
