/** Markers of other people's text: with a nonce that nobody can guess, new each time. */
import { randomBytes } from 'node:crypto';
import { createMarkers, type Markers } from '../prompt/markers.ts';

export function newNonce(): string {
  return randomBytes(16).toString('hex');
}

/** For answers where the prompt has named none. */
export function newMarkers(): Markers {
  return createMarkers(newNonce());
}
