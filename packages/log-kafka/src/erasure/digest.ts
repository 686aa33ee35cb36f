import { hash } from 'node:crypto';

/** sha-256 as base64url, of UTF-8 text. */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}
