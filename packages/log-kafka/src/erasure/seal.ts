import { createCipheriv, createDecipheriv, createSecretKey, randomFillSync } from 'node:crypto';
import { isUtf8 } from 'node:buffer';

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** What a payload is sealed with: a key of 32 bytes, and the hash of its envelope, so that it opens in no other event. */
export interface SealContext {
  key: Uint8Array;
  envelopeHash: string;
}

/**
 * Encrypts a payload with AES-256-GCM (NIST SP 800-38D). The iv is random, since one seq can be tried on several heads.
 * @returns iv (12 bytes), ciphertext, tag (16 bytes)
 */
export function sealPayload(text: string, { key, envelopeHash }: SealContext): Uint8Array {
  const iv = nextIv();
  // A key object and a buffer skip what Node does to bytes and to strings here, which takes longer than the encryption.
  const cipher = createCipheriv(CIPHER, createSecretKey(key), iv);
  cipher.setAAD(Buffer.from(envelopeHash));
  const ciphertext = cipher.update(Buffer.from(text));
  cipher.final();
  return Buffer.concat([iv, ciphertext, cipher.getAuthTag()]);
}

// Random bytes cost the same by the thousand as by the dozen.
const ivs = Buffer.alloc(1024 * IV_BYTES);
let nextIvAt = ivs.length;

function nextIv(): Uint8Array {
  if (nextIvAt === ivs.length) {
    randomFillSync(ivs);
    nextIvAt = 0;
  }
  return ivs.subarray(nextIvAt, (nextIvAt += IV_BYTES));
}

/** The payload, null when the key, the envelope or the bytes are not those that it was sealed with. */
export function openPayload(sealed: Uint8Array, { key, envelopeHash }: SealContext): string | null {
  if (sealed.length < IV_BYTES + TAG_BYTES) return null;
  const cipher = createDecipheriv(CIPHER, createSecretKey(key), sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(envelopeHash));
  cipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const opened = cipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES));
  try {
    cipher.final();
  } catch {
    return null;
  }
  return isUtf8(opened) ? opened.toString('utf8') : null;
}
