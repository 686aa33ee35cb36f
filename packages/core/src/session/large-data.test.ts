import { blobsIn, type Content, type ContentBlock } from '@dreamfold/events';
import { describe, expect, test } from 'vitest';
import { putBackData, takeOutData, type BytesCodec } from './large-data.ts';

/** Letters as bytes; a sum stands in for the hash. */
const CODEC: BytesCodec = {
  fromBase64: (data) => Uint8Array.from(atob(data), (c) => c.charCodeAt(0)),
  toBase64: (bytes) => btoa(String.fromCharCode(...bytes)),
  fromText: (text) => new TextEncoder().encode(text),
  toText: (bytes) => new TextDecoder().decode(bytes),
  sha256: (bytes) => `${bytes.length}/${bytes.reduce((sum, byte) => sum + byte, 0)}`,
};

const data = btoa('x'.repeat(30_000));
const image: ContentBlock = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
const LARGE: Content = [
  { type: 'text', text: 'Look.' },
  image,
  { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'é'.repeat(20_000) }, title: 'A' },
  { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'in it' }, image] } },
  { type: 'unknown', block_type: 'audio', block: { type: 'audio', b: 'é'.repeat(20_000), a: 1 } },
];

describe('large data', () => {
  test('is taken out, and put back byte for byte', () => {
    const { content, blobs } = takeOutData(LARGE, CODEC, 'task');
    expect(JSON.stringify(content).length).toBeLessThan(1500);
    expect(content[1]).toEqual({
      type: 'image',
      source: { type: 'blob', df_of: 'base64', media_type: 'image/png', sha256: CODEC.sha256(blobs[0]!), size_bytes: 30_000 },
    });
    expect(blobsIn(content)).toEqual(blobs.map((bytes) => CODEC.sha256(bytes)));
    const stored = new Map(blobs.map((bytes) => [CODEC.sha256(bytes), bytes]));
    const whole = content.map((block) => putBackData(block, CODEC, (sha256) => stored.get(sha256)!));
    expect(JSON.stringify(whole)).toBe(JSON.stringify(LARGE));
  });

  test('is what is large by itself, or together', () => {
    const icon: ContentBlock = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: btoa('x'.repeat(9000)) } };
    expect(takeOutData([icon], CODEC, 'task')).toEqual({ content: [icon], blobs: [] });
    expect(
      takeOutData(
        Array.from({ length: 8 }, () => icon),
        CODEC,
        'task',
      ).blobs,
    ).toHaveLength(8);
  });

  test('that would come back otherwise stays where it is', () => {
    const odd: ContentBlock = {
      type: 'image',
      source: { type: 'base64', media_type: 'x', data: `${data.slice(0, 19_999)} ${data.slice(19_999)}` },
    };
    expect(takeOutData([odd], CODEC, 'task')).toEqual({ content: [odd], blobs: [] });
  });

  test('in words is refused', () => {
    const content: Content = [image, { type: 'text', text: 'x'.repeat(70_000) }];
    expect(() => takeOutData(content, CODEC, 'task')).toThrow(expect.objectContaining({ code: 'payload_too_large', path: 'task' }));
  });
});
