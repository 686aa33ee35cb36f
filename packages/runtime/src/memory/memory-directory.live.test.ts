import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { escapeToken } from '@dreamfold/core';
import { openMemoryLog } from '@dreamfold/log';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryKeeper } from './memory-keeper.ts';

let root: string;
let keeper: MemoryKeeper;
let id = 0;
const BY = { by: 'person:ann', reason: 'from files' };

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'dreamfold-files-'));
  keeper = new MemoryKeeper(openMemoryLog());
  for (const name of ['desk', 'copy']) await keeper.create({ name, description: '', approval: 'manual' }, 'person:ann');
});
afterEach(() => rmSync(root, { recursive: true }));

async function put(path: string, value: unknown): Promise<void> {
  id += 1;
  const operations = [{ op: 'add', path: `/memories/${escapeToken(path)}`, value }];
  await keeper.write('desk', { patchId: `p${id}`, operations, reason: 'r', author: 'person:ann' });
}
const note = (path: string, content: string): Promise<void> => put(path, { kind: 'note', content });
const hashOf = async (store: string): Promise<string> => (await keeper.load(store)).state.hash;

const HOSTILE = [
  '/plain.md',
  '/.git/config',
  '/a/b/c',
  '/A.md~',
  '/é.md',
  '/ leading',
  '/trailing.',
  '/nul',
  '/%2F',
  '/__proto__',
  '/x:y',
  '/日本/語.md',
];
const CONTENTS = [
  '',
  '\n',
  'a\r\nb\r',
  '\ufeffx',
  '---\ndreamfold: note\n---\nx',
  '---\ndreamfold: playbook\n',
  'no newline',
  '```json\n{}\n```',
  '\u00a0\t',
];

describe('a directory of memory', () => {
  it('gives the same document back, to another store and to its own', async () => {
    for (const [i, path] of HOSTILE.entries()) await note(path, CONTENTS[i % CONTENTS.length]!);
    const support = { sessions: 3, principals: 2 };
    const i1 = {
      kind: 'choice',
      id: 'i1',
      tool: 't',
      field: 'f',
      value: '```\n---',
      cues: [{ phrase: '"refund"', points: 1, sessions: 1, principals: 1 }],
      support,
    };
    await put('/book.md', { kind: 'playbook', title: 'A "title"\n---', insights: { i1 } });
    await put('/empty.md', { kind: 'playbook', title: 'Empty', insights: {} });
    const directory = join(root, 'new', 'memory');
    const { version, files } = await keeper.exportTo('desk', directory);
    expect(version).toBe(HOSTILE.length + 2);
    expect(files).toContain('plain.md');
    expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(await keeper.importFrom('desk', directory, BY)).toEqual({ patchIds: [], stale: [] });
    expect((await keeper.importFrom('copy', directory, BY)).patchIds).toHaveLength(1);
    expect(await hashOf('copy')).toBe(await hashOf('desk'));
    expect((await keeper.versions('copy'))[0]).toMatchObject({ author: 'person:ann', reason: 'from files' });
  });

  it('moves 400 notes in one append, and removes what the files no longer hold', async () => {
    const directory = join(root, 'many');
    mkdirSync(directory);
    for (let i = 0; i < 400; i += 1) writeFileSync(join(directory, `n${i}.md`), `note ${i}`);
    expect((await keeper.importFrom('desk', directory, BY)).patchIds).toHaveLength(8);
    for (let i = 0; i < 399; i += 1) rmSync(join(directory, `n${i}.md`));
    await keeper.importFrom('desk', directory, BY);
    expect((await keeper.load('desk')).state.document.memories).toEqual({ '/n399.md': { kind: 'note', content: 'note 399' } });
  });

  it('exports an earlier version, and an empty store', async () => {
    await note('/a.md', 'one');
    expect(await keeper.exportTo('desk', join(root, 'empty'), { version: 0 })).toEqual({ version: 0, files: [] });
    expect(statSync(join(root, 'empty')).isDirectory()).toBe(true);
    // An empty directory may be there.
    expect((await keeper.exportTo('desk', join(root, 'empty'))).files).toEqual(['a.md']);
    expect(readdirSync(root)).toEqual(['empty']);
  });

  it('is never written over, and a failed export leaves nothing', async () => {
    await note('/a.md', 'one');
    const directory = join(root, 'there');
    mkdirSync(directory);
    writeFileSync(join(directory, 'mine.txt'), 'x');
    await expect(keeper.exportTo('desk', directory)).rejects.toMatchObject({ code: 'path_conflict' });
    await expect(keeper.exportTo('desk', join(directory, 'mine.txt'))).rejects.toMatchObject({ code: 'path_conflict' });
    await expect(keeper.exportTo('desk', join(directory, 'mine.txt', 'below'))).rejects.toMatchObject({ code: 'invalid_path' });
    expect(readdirSync(directory)).toEqual(['mine.txt']);
  });

  it('is read without what is hidden, and never through a link', async () => {
    const directory = join(root, 'in');
    mkdirSync(join(directory, '.git'), { recursive: true });
    writeFileSync(join(directory, '.git', 'config'), 'x');
    writeFileSync(join(directory, '.DS_Store'), 'x');
    writeFileSync(join(directory, 'a.md'), 'one');
    await keeper.importFrom('desk', directory, BY);
    expect(Object.keys((await keeper.load('desk')).state.document.memories)).toEqual(['/a.md']);
    const before = await hashOf('desk');
    symlinkSync('/etc/hostname', join(directory, 'link.md'));
    await expect(keeper.importFrom('desk', directory, BY)).rejects.toMatchObject({ code: 'invalid_path' });
    expect(await hashOf('desk')).toBe(before);
  });

  it.each<[string, string | Buffer, string]>([
    ['a.md', Buffer.from([0xff, 0xfe, 0x41]), 'invalid_text'],
    ['a.md', 'x\u0000y', 'invalid_text'],
    ['a.md', 'x'.repeat(1024 * 1024 + 1), 'payload_too_large'],
    ['a.md', 'x'.repeat(102_401), 'patch_too_large'],
    ['a.md', '---\ndreamfold: prompt\n---\n', 'invalid_import'],
    ['a\\b.md', 'x', 'invalid_path'],
    ['a\u202e.md', 'x', 'invalid_path'],
  ])('%j with a bad content or name changes nothing', async (name, content, code) => {
    const directory = join(root, 'bad');
    mkdirSync(directory);
    writeFileSync(join(directory, '0.md'), 'good');
    writeFileSync(join(directory, name), content);
    await expect(keeper.importFrom('desk', directory, BY)).rejects.toMatchObject({ code });
    expect((await keeper.load('desk')).state.version).toBe(0);
  });

  it('has to be there, and a directory', async () => {
    await expect(keeper.importFrom('desk', join(root, 'none'), BY)).rejects.toMatchObject({ code: 'not_found' });
    writeFileSync(join(root, 'file'), 'x');
    await expect(keeper.importFrom('desk', join(root, 'file'), BY)).rejects.toMatchObject({ code: 'invalid_path' });
    await expect(keeper.importFrom('nope', root, BY)).rejects.toMatchObject({ code: 'not_found' });
  });
});
