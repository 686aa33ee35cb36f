import { afterAll, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withAttachments } from './attachments.ts';

const directory = mkdtempSync(join(tmpdir(), 'dreamfold-attach-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, bytes: Buffer | string): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

const base64 = (...bytes: number[]): string => Buffer.from(bytes).toString('base64');
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1];
const WEBP = [...Buffer.from('RIFF'), 0x0a, 0, 0, 0, ...Buffer.from('WEBPVP8 ')];

describe('an attachment', () => {
  test.each<[string, Buffer | string, object]>([
    ['a.txt', Buffer.from(PNG), { type: 'image', source: { type: 'base64', media_type: 'image/png', data: base64(...PNG) } }],
    ['b', Buffer.from([0xff, 0xd8, 0xff, 0xe0]), { type: 'image', source: { media_type: 'image/jpeg' } }],
    ['c.gif', 'GIF89a…', { type: 'image', source: { media_type: 'image/gif' } }],
    ['d.webp', Buffer.from(WEBP), { type: 'image', source: { media_type: 'image/webp' } }],
    ['e.pdf', '%PDF-1.7', { type: 'document', source: { type: 'base64', media_type: 'application/pdf' }, title: 'e.pdf' }],
    ['f.csv', 'ä;1', { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'ä;1' }, title: 'f.csv' }],
  ])('is what its bytes say: %s', async (name, bytes, block) => {
    expect(await withAttachments('Look.', [file(name, bytes)])).toMatchObject([block, { type: 'text', text: 'Look.' }]);
  });

  test('goes with others, in their order; without any, words are words', async () => {
    const files = [file('one.txt', 'one'), file('two.txt', 'two')];
    expect(await withAttachments('Look.', files)).toMatchObject([{ title: 'one.txt' }, { title: 'two.txt' }, { text: 'Look.' }]);
    expect(await withAttachments('Look.')).toBe('Look.');
  });

  test.each<[string, Buffer | string, string]>([
    ['archive.zip', Buffer.from([0x50, 0x4b, 3, 4, 0, 0xff]), 'invalid_argument'],
    ['nul.bin', 'a\0b', 'invalid_argument'],
    ['empty.png', '', 'invalid_argument'],
    ['large.png', Buffer.concat([Buffer.from(PNG), Buffer.alloc(5 * 1024 * 1024)]), 'payload_too_large'],
    ['large.txt', Buffer.alloc(13 * 1024 * 1024, 'x'), 'payload_too_large'],
  ])('is refused: %s', async (name, bytes, code) => {
    await expect(withAttachments('Look.', [file(name, bytes)])).rejects.toMatchObject({ code });
  });

  test('that is not there, or is no file, is refused', async () => {
    await expect(withAttachments('Look.', [join(directory, 'none.png')])).rejects.toMatchObject({ code: 'not_found' });
    await expect(withAttachments('Look.', [directory])).rejects.toMatchObject({ code: 'invalid_path' });
  });
});
