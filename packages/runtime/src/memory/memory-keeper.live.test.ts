import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { documentAt, documentHash, patchOf } from '@dreamfold/core';
import { streamOf, type NewEvent } from '@dreamfold/events';
import { openMemoryLog } from '@dreamfold/log';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryKeeper, type Proposal } from './memory-keeper.ts';

const sha256 = (value: string): string => createHash('sha256').update(value).digest('base64url');
const STORE = { name: 'desk', description: '', approval: 'manual' } as const;
const add = (path: string, content: string): unknown[] => [
  { op: 'add', path: `/memories/${path.replaceAll('/', '~1')}`, value: { kind: 'note', content } },
];
const feedback: NewEvent = {
  type: 'feedback.recorded',
  class: 'open',
  actor: 'person:desk',
  data: { judges: 'x', verdict: 'right', by: 'desk' },
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dreamfold-memory-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A process that counts up, writes, proposes, approves and rolls back for a second, and says what was acknowledged. */
const RACER = `
  import { openSqliteLog } from '@dreamfold/log/sqlite';
  import { MemoryKeeper } from './memory-keeper.ts';
  import { once } from 'node:events';
  const [directory, me] = process.argv.slice(1);
  const keeper = new MemoryKeeper(await openSqliteLog({ directory }));
  const EXPECTED = ['precondition_failed', 'already_decided', 'rollback_conflict', 'not_approved'];
  const acked = { counted: 0, written: [], decided: {}, refused: 0 };
  const attempt = async (work) => {
    try {
      await work();
      return true;
    } catch (error) {
      if (!EXPECTED.includes(error.code)) throw error;
      acked.refused += 1;
      return false;
    }
  };
  const author = 'person:' + me;
  const note = (path, content, op = 'add') => [{ op, path: '/memories/~1' + path, value: { kind: 'note', content } }];
  let random = me === 'a' ? 7 : 11;
  const pick = (n) => (random = (random * 48271) % 2147483647) % n;
  console.log('ready');
  await once(process.stdin, 'data');
  for (let i = 0, end = Date.now() + 1000; Date.now() < end; i += 1) {
    const { state } = await keeper.load('desk');
    const patches = [...state.patches].filter(({ proposal }) => proposal.patch_id.startsWith('shared'));
    switch (i % 4) {
      case 0: {
        const n = Number(state.document.memories['/counter'].content);
        const patch = { patchId: 'count/' + me + i, operations: note('counter', String(n + 1), 'replace'), reason: 'r', author, baseHash: state.hash };
        if (await attempt(() => keeper.write('desk', patch))) acked.counted += 1;
        break;
      }
      case 1: {
        const patchId = 'own/' + me + i;
        await keeper.write('desk', { patchId, operations: note(me + i, 'x'), reason: 'r', author });
        acked.written.push(patchId);
        break;
      }
      case 2: {
        // The same proposals from both: they count once.
        const operations = note('shared' + (i % 40), 'x');
        const patchId = 'shared' + i;
        await attempt(async () => keeper.propose('desk', [{ patch: { patchId, operations, reason: 'r', author: 'dream:drm_1', evidence: ['session/sesn_1#1'] }, gates: [], supersedes: null }]));
        break;
      }
      default: {
        const patch = patches.at(-1 - pick(6));
        if (patch === undefined) break;
        const patchId = patch.proposal.patch_id;
        if (patch.status === 'validated' && (await attempt(() => keeper.approve('desk', patchId, { by: author })))) (acked.decided[patchId] ??= []).push('applied');
        if (patch.status === 'applied' && (await attempt(() => keeper.rollback('desk', patchId, { by: author, reason: 'r' })))) (acked.decided[patchId] ??= []).push('rolled_back');
      }
    }
  }
  console.log(JSON.stringify(acked));`;

interface Acked {
  counted: number;
  written: string[];
  decided: Record<string, ('applied' | 'rolled_back')[]>;
  refused: number;
}

/** Both are off at once: each waits for the other before it starts. */
async function race(names: readonly string[]): Promise<Acked[]> {
  const racers = names.map((me) => started(me));
  await Promise.all(racers.map(({ ready }) => ready));
  for (const { child } of racers) child.stdin.end('go');
  return Promise.all(racers.map(({ acked }) => acked));
}

function started(me: string): { child: ChildProcessByStdio<Writable, Readable, null>; ready: Promise<unknown>; acked: Promise<Acked> } {
  const child = spawn(process.execPath, ['--input-type=module', '-e', RACER, directory, me], {
    cwd: import.meta.dirname,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ready = lines.next();
  const acked = ready.then(async () => {
    const [{ value }, [code]] = await Promise.all([lines.next(), once(child, 'exit') as Promise<[number]>]);
    expect(code).toBe(0);
    return JSON.parse(value as string) as Acked;
  });
  return { child, ready, acked };
}

it('two processes race on one store: no update is lost, nothing is half there, and both fold the same', async () => {
  const log = await openSqliteLog({ directory });
  const keeper = new MemoryKeeper(log);
  await log.append({ stream: 'session/sesn_1', id: 'f', expected: 'any', events: [feedback] });
  await keeper.create(STORE, 'person:ann');
  await keeper.write('desk', { patchId: 'zero', operations: add('/counter', '0'), reason: 'r', author: 'person:ann' });
  const [a, b] = (await race(['a', 'b'])) as [Acked, Acked];

  const { id, state } = await keeper.load('desk');
  const { state: elsewhere } = await new MemoryKeeper(log).load('desk');
  expect(elsewhere).toEqual(state);
  // No update is lost: each that was acknowledged is there, and counts once.
  expect(state.document.memories['/counter']).toEqual({ kind: 'note', content: String(a.counted + b.counted) });
  for (const patchId of [...a.written, ...b.written]) expect(patchOf(state, patchId)?.status).toBe('applied');
  for (const { decided } of [a, b]) {
    for (const [patchId, changes] of Object.entries(decided)) {
      const made = state.history.filter((version) => version.patchId === patchId).map(({ change }) => change);
      expect(made).toEqual(expect.arrayContaining(changes));
    }
  }
  // Nothing is half there: every change on the log made a version, whose document has the hash that stands there.
  const changes = [];
  for await (const events of log.read(streamOf('memory', id)))
    changes.push(...events.filter(({ type }) => /applied|rolled_back/.test(type)));
  expect(changes).toHaveLength(state.version);
  for (const { version, hash } of state.history) expect(documentHash(documentAt(state, version)!, sha256)).toBe(hash);
  expect((await log.archive.verify()).problems).toEqual([]);
  // And it was a race.
  expect(Math.min(a.counted, b.counted, a.written.length, b.written.length)).toBeGreaterThan(0);
  expect(a.refused + b.refused).toBeGreaterThan(0);
  expect(state.history.some(({ change }) => change === 'rolled_back')).toBe(true);
  await log.close();
});

describe('one process', () => {
  it('takes many changes at once, in turn', async () => {
    const keeper = new MemoryKeeper(openMemoryLog());
    await keeper.create(STORE, 'person:ann');
    const writes = Array.from({ length: 60 }, (_, i) =>
      keeper.write('desk', { patchId: `p${i}`, operations: add(`/n${i}`, 'x'), reason: 'r', author: 'person:ann' }),
    );
    await Promise.all(writes);
    expect((await keeper.load('desk')).state.version).toBe(60);
  });

  it('lets two keepers decide on one patch: one is first, the other is told so', async () => {
    const log = openMemoryLog();
    const [one, two] = [new MemoryKeeper(log), new MemoryKeeper(log)];
    await log.append({ stream: 'session/sesn_1', id: 'f', expected: 'any', events: [feedback] });
    await one.create(STORE, 'person:ann');
    const patch = { patchId: 'p', operations: add('/a', 'x'), reason: 'r', author: 'dream:drm_1', evidence: ['session/sesn_1#1'] };
    await one.propose('desk', [{ patch, gates: [], supersedes: null }]);
    const settled = await Promise.allSettled([
      one.approve('desk', 'p', { by: 'person:ann' }),
      two.approve('desk', 'p', { by: 'person:bob' }),
      two.reject('desk', 'p', { by: 'person:eve', reason: 'no' }),
    ]);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of settled) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'already_decided' });
    expect((await two.load('desk')).state.version).toBe(1);
  });

  it('records the patches of a dream in one append, each as far as it goes, and keeps what the log gives', async () => {
    const log = openMemoryLog();
    const keeper = new MemoryKeeper(log);
    await log.append({ stream: 'session/sesn_1', id: 'f', expected: 'any', events: [feedback] });
    await keeper.create({ ...STORE, approval: 'auto' }, 'person:ann');
    const proposal = (patchId: string, operations: unknown, supersedes: string | null = null): Proposal => {
      const patch = { patchId, operations, reason: 'r', author: 'dream:drm_1', evidence: ['session/sesn_1#1'] };
      return { patch, gates: patchId === 'waits' ? [{ gate: 'taint', pass: true, waits: true, reason: 'r' }] : [], supersedes };
    };
    const moved = [{ op: 'test', path: '/memories/~1a/content', value: 'other' }, ...add('/c', 'x')];
    const proposals = [
      proposal('waits', add('/b', 'x')),
      proposal('p', add('/a', 'x')),
      proposal('q', moved),
      proposal('r', add('/d', 'x'), 'waits'),
    ];
    expect(await keeper.propose('desk', proposals)).toEqual(['rejected', 'applied', null, 'applied']);
    const { id, state } = await keeper.load('desk');
    expect(Object.keys(state.document.memories)).toEqual(['/a', '/d']);
    expect(patchOf(state, 'q')).toBeUndefined();
    expect(state).toEqual((await new MemoryKeeper(log).load('desk')).state);
    const appends = new Set<string>();
    for await (const batch of log.archive.readStored(streamOf('memory', id))) for (const { append } of batch) appends.add(append.id);
    expect(appends.size).toBe(2);
  });

  it('refuses evidence that is not on the log', async () => {
    const log = openMemoryLog();
    const keeper = new MemoryKeeper(log);
    await keeper.create(STORE, 'person:ann');
    await log.append({ stream: 'session/sesn_1', id: 'f', expected: 'any', events: [feedback] });
    const propose = (evidence: string[]): Promise<unknown> => {
      const patch = { patchId: 'p', operations: add('/a', 'x'), reason: 'r', author: 'dream:drm_1', evidence };
      return keeper.propose('desk', [{ patch, gates: [], supersedes: null }]);
    };
    for (const ref of ['session/sesn_1#2', 'session/sesn_9#1', 'nonsense', 'session/sesn_1#0']) {
      await expect(propose(['session/sesn_1#1', ref])).rejects.toMatchObject({ code: 'evidence_not_found', value: ref });
    }
    await expect(propose([])).rejects.toMatchObject({ code: 'evidence_required' });
    await propose(['session/sesn_1#1']);
  });

  it('tells versions, differences, blame and points in time', async () => {
    const keeper = new MemoryKeeper(openMemoryLog());
    await keeper.create(STORE, 'person:ann');
    await keeper.writeNote('desk', { path: '/a.md', content: 'one\ntwo', reason: 'first', by: 'person:ann' });
    const between = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await keeper.writeNote('desk', { path: '/a.md', content: 'one\nthree', reason: 'second', by: 'person:bob' });
    expect((await keeper.versions('desk')).map(({ version, author, reason }) => [version, author, reason])).toEqual([
      [1, 'person:ann', 'first'],
      [2, 'person:bob', 'second'],
    ]);
    expect((await keeper.diff('desk', 1, 2)).text).toContain('-two\n+three\n');
    expect((await keeper.blame('desk', '/a.md')).map(({ text, origin }) => [text, origin?.author])).toEqual([
      ['## /a.md', 'person:ann'],
      ['one', 'person:ann'],
      ['three', 'person:bob'],
      ['', undefined],
    ]);
    expect((await keeper.at('desk', { timeMs: between })).version).toBe(1);
    expect((await keeper.at('desk', { version: 1 })).document.memories['/a.md']).toMatchObject({ content: 'one\ntwo' });
    await expect(keeper.blame('desk', '/none')).rejects.toMatchObject({ code: 'not_found' });
    await expect(keeper.diff('desk', 0, 9)).rejects.toMatchObject({ code: 'not_found' });
    await expect(keeper.versions('nope')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('replaces a note of any size, and names a bad path', async () => {
    const keeper = new MemoryKeeper(openMemoryLog());
    await keeper.create(STORE, 'person:ann');
    const write = (path: string, content: string): Promise<string | null> =>
      keeper.writeNote('desk', { path, content, reason: 'r', by: 'person:ann' });
    for (const fill of ['a', 'b']) await write('/big', fill.repeat(102_400));
    await expect(write('/a/../b', 'x')).rejects.toMatchObject({ code: 'invalid_path' });
    await expect(write('/big/more', 'x')).rejects.toMatchObject({ code: 'path_conflict' });
  });
});
