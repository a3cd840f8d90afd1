/** Seals what is kept where others can read and replace it. Attacks: `seal.test.ts`. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Config } from '../../words/config.ts';
import type { Secret } from '../../words/secret.ts';

const format = 1;
const saltBytes = 32;
const tagBytes = 16;
const headBytes = 1 + saltBytes;

/** What belongs together: a seal opens for the same words, in the same order, and no others. */
export type Binding = readonly string[];

/** A secret of the settings that stays the same from run to run; null where none does. */
export function lastingSecret(config: Config): Secret | null {
  const { anthropicApiKey, claudeCodeOauthToken, appPrivateKey, sshSigningKey } = config;
  return anthropicApiKey || claudeCodeOauthToken || appPrivateKey || sshSigningKey || null;
}

/** AES-256-GCM, its key by HKDF from the secret and a salt of its own. */
export function seal(plain: Buffer, secret: Secret, binding: Binding): Buffer {
  const head = Buffer.concat([Buffer.from([format]), randomBytes(saltBytes)]);
  const { key, iv } = keyOf(secret, head.subarray(1));
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes });
  cipher.setAAD(bytesOf(binding));
  return Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Null for what this secret has not sealed under this binding, byte for byte. */
export function unseal(sealed: Buffer, secret: Secret, binding: Binding): Buffer | null {
  if (sealed.length < headBytes + tagBytes || sealed[0] !== format) return null;
  const { key, iv } = keyOf(secret, sealed.subarray(1, headBytes));
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes });
  decipher.setAAD(bytesOf(binding));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(headBytes, -tagBytes)), decipher.final()]);
  } catch {
    return null;
  }
}

/** Of each salt its own, so that no pair of key and IV comes twice. */
function keyOf(secret: Secret, salt: Buffer): { key: Buffer; iv: Buffer } {
  const bytes = Buffer.from(hkdfSync('sha256', secret.reveal(), salt, 'forgehand conversation', 44));
  return { key: bytes.subarray(0, 32), iv: bytes.subarray(32) };
}

function bytesOf(binding: Binding): Buffer {
  return Buffer.from(JSON.stringify([format, ...binding]));
}
