/** Reads who sends a request out of its Authorization header. */
import { importSPKI, jwtVerify } from 'jose';
import type { Identity } from './access.ts';
import { HttpProblem } from './rest/problem.ts';
import type { Store } from './store.ts';

/** @throws HttpProblem 401 for a token or JWT that is not (or no longer) good */
export async function identify(store: Store, header: string | undefined): Promise<Identity> {
  const credential = credentialOf(header);
  if (!credential) return { kind: 'anonymous' };
  if (credential.split('.').length === 3) return identifyApp(store, credential);
  const token = store.tokens.find(credential);
  if (!token) throw new HttpProblem(401, 'Bad credentials');
  return { kind: 'token', token };
}

/** The token of `Bearer x`, `token x`, or of Basic, where git puts it into the password. */
function credentialOf(header: string | undefined): string | null {
  const [scheme, value] = header?.trim().split(/\s+/) ?? [];
  if (!scheme || !value) return null;
  if (/^(bearer|token)$/i.test(scheme)) return value;
  if (!/^basic$/i.test(scheme)) return null;
  const [user, password] = Buffer.from(value, 'base64').toString().split(/:(.*)/s);
  return password && password !== 'x-oauth-basic' ? password : (user ?? null);
}

async function identifyApp(store: Store, jwt: string): Promise<Identity> {
  for (const app of store.apps) {
    try {
      const { payload } = await jwtVerify(jwt, await importSPKI(app.publicKey, 'RS256'), {
        clockTolerance: 60,
      });
      if (String(payload.iss) !== String(app.id)) continue;
      if ((payload.exp ?? 0) - (payload.iat ?? 0) > 660) {
        throw new HttpProblem(401, "'Expiration time' claim ('exp') is too far in the future");
      }
      return { kind: 'app', app };
    } catch (error) {
      if (error instanceof HttpProblem) throw error;
    }
  }
  throw new HttpProblem(401, 'A JSON web token could not be decoded');
}
