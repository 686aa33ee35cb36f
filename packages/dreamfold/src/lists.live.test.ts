import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agent, open, type Dreamfold, type ListNotice } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'dreamfold-lists-'));
const lead = agent({ name: 'desk', system: 'Answer.' });
let df: Dreamfold;

beforeAll(async () => {
  df = await open({ directory });
});
afterAll(async () => {
  await df.close();
  rmSync(directory, { recursive: true });
});

function bytesOfLists(): string {
  const files = readdirSync(directory).filter((file) => file.startsWith('views.db'));
  return files
    .map((file) => readFileSync(join(directory, file), 'latin1'))
    .join('')
    .toLowerCase();
}

test('what is run is listed at once, here and by whoever only looks', async () => {
  const ids: string[] = [];
  for (const task of ['One.', 'Two.', 'Three.']) {
    const session = await df.run(lead, task, { principal: 'ann' });
    await session.done();
    ids.push(session.id);
  }
  const reader = await open({ directory, readOnly: true });
  for (const { lists } of [df, reader]) {
    const first = await lists.sessions({ limit: 2, agent: 'desk', status: 'end_turn' });
    expect(first).toMatchObject({ rows: [{ id: ids[2], title: 'Three.' }, { id: ids[1] }], total: 3, next: ids[1] });
    expect(await lists.sessions({ limit: 2, after: first.next! })).toMatchObject({ rows: [{ id: ids[0] }], next: null });
  }
  await reader.close();
});

test('what is erased is gone from the lists, and from their file', async () => {
  const session = await df.run(lead, 'Sesame-4711 is the word.', { principal: 'sesame' });
  await session.done();
  expect((await df.lists.sessions({ title: 'sesame' })).total).toBe(1);
  expect(bytesOfLists()).toContain('sesame');
  await df.erase(`session/${session.id}`, { seqs: [1, 2, 3], reason: 'asked for' });
  expect((await df.lists.sessions({ title: 'sesame' })).total).toBe(0);
  expect(bytesOfLists()).not.toContain('sesame');
});

test('where nothing can be written, lists are folded in memory, and it says so once', async () => {
  await df.close();
  for (const file of readdirSync(directory).filter((name) => name.startsWith('views.db'))) rmSync(join(directory, file));
  // In its place stands what is no file.
  mkdirSync(join(directory, 'views.db'));
  const notices: unknown[] = [];
  const reader = await open({ directory, readOnly: true, onNotice: (notice) => notices.push(notice) });
  expect((await reader.lists.sessions()).total).toBe(4);
  expect((await reader.lists.sessions()).total).toBe(4);
  expect(notices).toEqual([expect.objectContaining({ kind: 'list_in_memory' } satisfies Partial<ListNotice>)]);
  await reader.close();
});
