/** How published commits are signed: by GitHub, as it makes them, or here with a key of the caller's. */
import type { GitHubClient } from '../../github/client.ts';
import type { Secret } from '../../words/secret.ts';
import type { Identity } from '../git.ts';

/** An SSH private key without a passphrase, in a form that ssh-keygen reads. */
export type SigningKey = Secret;

export type Signing =
  | { by: 'github'; client: GitHubClient }
  /** @property identity whose key it is: author and committer of what is signed. */
  | { by: 'ssh'; key: SigningKey; identity: Identity };
