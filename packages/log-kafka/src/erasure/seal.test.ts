import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openPayload, sealPayload } from './seal.ts';

const CONTEXT = { key: new Uint8Array(32).fill(7), envelopeHash: 'hash' };

test('what was sealed opens, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const sealed = sealPayload(text, CONTEXT);
      expect(sealed).toHaveLength(12 + Buffer.byteLength(text) + 16);
      expect(openPayload(sealed, CONTEXT)).toBe(text);
    }),
  );
});

test('the bytes are those of the format: iv, ciphertext, tag, bound to the hash of the envelope', () => {
  const sealed = Buffer.from('a04ee40884e3dbee5a30582454d852ca85988af6173df473029e2461744116ae7a037f', 'hex');
  expect(openPayload(sealed, CONTEXT)).toBe('{"a":1}');
});

test('equal payloads do not look equal', () => {
  expect(Buffer.from(sealPayload('same', CONTEXT)).equals(sealPayload('same', CONTEXT))).toBe(false);
});

test('no other key, envelope or bytes open it', () => {
  const sealed = sealPayload('payload', CONTEXT);
  expect(openPayload(sealed, { ...CONTEXT, key: new Uint8Array(32).fill(8) })).toBeNull();
  expect(openPayload(sealed, { ...CONTEXT, envelopeHash: 'other' })).toBeNull();
  for (let i = 0; i < sealed.length; i += 1) {
    const changed = Uint8Array.from(sealed);
    changed[i]! ^= 1;
    expect(openPayload(changed, CONTEXT)).toBeNull();
    expect(openPayload(sealed.subarray(0, i), CONTEXT)).toBeNull();
  }
});
