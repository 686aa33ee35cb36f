import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forbiddenPhrase } from '@dreamfold/dreaming';
import { openMemoryLog } from '@dreamfold/log';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NoteWrite } from './direct-write.ts';
import { MemoryKeeper } from './memory-keeper.ts';

const KEY = ['AKIA', 'IOSFODNN7QXAMPL3'].join('');
const choice = {
  kind: 'choice',
  id: 'refunds',
  tool: 'route',
  field: 'queue',
  value: 'billing',
  cues: [{ phrase: 'refund', points: 20, sessions: 3, principals: 3 }],
  support: { sessions: 3, principals: 3 },
};

let keeper: MemoryKeeper;
beforeEach(async () => {
  keeper = new MemoryKeeper(openMemoryLog());
  await keeper.create({ name: 'desk', description: '', approval: 'manual' }, 'person:ann');
});
const write = (note: Partial<NoteWrite>): Promise<string | null> =>
  keeper.writeNote('desk', { path: '/a.md', content: 'Be kind.', reason: 'r', by: 'person:ann', ...note });
const version = async (): Promise<number> => (await keeper.load('desk')).state.version;
const writePage = (insight: object, title = 'Routing'): Promise<void> => {
  const value = { kind: 'playbook', title, insights: { refunds: { ...choice, ...insight } } };
  return keeper.write('desk', {
    patchId: 'patch_1',
    operations: [{ op: 'add', path: '/memories/~1r.md', value }],
    reason: 'r',
    author: 'person:ann',
  });
};

describe('what a person writes', () => {
  it.each<[what: string, note: Partial<NoteWrite>, error: object]>([
    [
      'a key',
      { content: `Be kind.\nUse ${KEY} for it.` },
      { code: 'secret_detected', message: '/a.md, line 2, column 5, holds an AWS key' },
    ],
    ['a key in small letters', { content: `Use ${KEY.toLowerCase()}` }, { code: 'secret_detected' }],
    [
      'a card',
      { content: 'Charge 4111 1111 1111 1111.' },
      { code: 'secret_detected', message: expect.stringContaining('the number of a card') as string },
    ],
    [
      'an invisible character',
      { content: 'Be kind.\r\n💥 re\u200bfund' },
      { code: 'suspicious_unicode', message: '/a.md, line 2, column 5, holds an invisible character (U+200B)' },
    ],
    ['a look-alike in its path', { path: '/n\u043etes.md' }, { code: 'suspicious_unicode' }],
    [
      'what a rule forbids',
      { constitution: [forbiddenPhrase('be kind')] },
      { code: 'precondition_failed', message: expect.stringContaining('"be kind"') as string },
    ],
    [
      'what a rule forbids, in its path',
      { path: '/never/mention.md', constitution: [forbiddenPhrase('never mention')] },
      { code: 'precondition_failed' },
    ],
  ])('is refused with %s', async (_what, note, error) => {
    await expect(write(note)).rejects.toMatchObject(error);
    expect(await version()).toBe(0);
  });

  it('never has its secret repeated', async () => {
    await expect(write({ content: KEY })).rejects.not.toThrow(KEY);
  });

  it.each<[what: string, insight: object, title?: string]>([
    ['value', { value: `use ${KEY}` }],
    ['tool', { tool: 'ro\u200bute' }],
    ['field', { field: 'qu\u0435ue' }],
    ['cue', { cues: [{ ...choice.cues[0], phrase: 'p\u0430rcel' }] }],
    ['title', {}, `Routing ${KEY}`],
  ])('is refused for the %s of an insight', async (_what, insight, title) => {
    await expect(writePage(insight, title)).rejects.toMatchObject({
      code: expect.stringMatching(/suspicious_unicode|secret_detected/) as string,
    });
    expect(await version()).toBe(0);
  });

  it('is not refused for what stood there before, in another place', async () => {
    await writePage({});
    await write({});
    const operations = [{ op: 'replace', path: '/memories/~1r.md/insights/refunds/cues/0/points', value: 30 }];
    await keeper.write('desk', { patchId: 'patch_2', operations, reason: 'r', author: 'person:ann' });
    expect(await version()).toBe(3);
  });

  it('as files is held to the same, all of it or nothing', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dreamfold-import-'));
    writeFileSync(join(directory, 'a.md'), 'Be kind.\n');
    writeFileSync(join(directory, 'b.md'), `Be brief.\n\t${KEY}\n`);
    const importing = (more: object = {}): Promise<unknown> =>
      keeper.importFrom('desk', directory, { by: 'person:ann', reason: 'r', ...more });
    await expect(importing()).rejects.toMatchObject({ code: 'secret_detected', message: '/b.md, line 2, column 2, holds an AWS key' });
    expect(await version()).toBe(0);
    writeFileSync(join(directory, 'b.md'), 'Be brief.\n');
    await expect(importing({ constitution: [forbiddenPhrase('be brief')] })).rejects.toMatchObject({ code: 'precondition_failed' });
    await importing();
    expect(await version()).toBeGreaterThan(0);
    rmSync(directory, { recursive: true });
  });
});

describe('several writers of one path', () => {
  it('all succeed, and the last one wins', async () => {
    const other = keeper;
    const patches = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((content) =>
        other.writeNote('desk', { path: '/new.md', content, reason: 'r', by: `person:${content}` }),
      ),
    );
    expect(new Set(patches).size).toBe(5);
    expect(await version()).toBe(5);
  });

  it('are refused, all but one, when each expects the version that it has read', async () => {
    const results = await Promise.allSettled(['a', 'b', 'c'].map((content) => write({ content, expectedVersion: 0 })));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'precondition_failed', value: 0 });
    expect(await version()).toBe(1);
  });
});
