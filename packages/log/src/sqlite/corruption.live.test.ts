import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDreamfoldError, type StoredEvent } from '@dreamfold/events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claim, collect, message } from '../conformance/log-under-test.ts';
import type { Log } from '../port.ts';
import { seeded } from '@dreamfold/core/testing';
import { openSqliteLog } from './open-sqlite-log.ts';

const FILES = ['log.db', 'log.db-wal', 'head'] as const;

let root: string;
/** Two states of one log: as a killed process leaves it, with a write-ahead log, and after a clean close. */
let killed: string;
let closed: string;
let expected: string;

/** Everything that can be read, as one text. */
async function contents(log: Log): Promise<string> {
  const streams = await collect(log.streams());
  const events: StoredEvent[] = [];
  for (const { stream } of streams) events.push(...(await collect(log.archive.readStored(stream))));
  return JSON.stringify([streams, events]);
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'dreamfold-corruption-'));
  const live = join(root, 'live');
  const log = await openSqliteLog({ directory: live });
  const write = async (stream: string, from: number, count: number): Promise<void> => {
    for (let i = from; i < from + count; i += 1) {
      await log.append({
        stream,
        id: `a${i}`,
        expected: 'any',
        correlation: `req_${i}`,
        events: [message(`${stream} ${i} `.repeat(12)), message('and more')],
      });
    }
  };
  await log.append({ stream: 'session/one', id: 'c', expected: 0, epoch: 1, events: [claim()] });
  await write('session/one', 0, 20);
  await log.blobs.put(new Uint8Array(3000).fill(7));
  await write('session/two', 0, 10);
  // Erasing also moves the write-ahead log into the database, so that both files hold a part.
  await log.erasure.erase('session/two', { seqs: [3], reason: 'asked for' });
  await write('session/one', 20, 8);
  await write('session/three', 0, 4);
  expected = await contents(log);
  killed = join(root, 'killed');
  cpSync(live, killed, { recursive: true, filter: (path) => !path.endsWith('-shm') });
  await log.close();
  closed = join(root, 'closed');
  cpSync(live, closed, { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true }));

/** @returns how the damage was met */
async function outcome(
  state: string,
  file: string,
  damage: (bytes: Buffer) => Buffer,
): Promise<'recovered' | 'reported at open' | 'reported by verify' | 'silent'> {
  const directory = join(root, 'case');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  for (const name of FILES) {
    if (!existsSync(join(state, name))) continue;
    const bytes = readFileSync(join(state, name));
    writeFileSync(join(directory, name), name === file ? damage(bytes) : bytes);
  }
  let log: Log;
  try {
    log = await openSqliteLog({ directory });
  } catch (error) {
    if (!isDreamfoldError(error) || !error.code.startsWith('store_')) throw error;
    expect(error.remedy).not.toBe('');
    return 'reported at open';
  }
  try {
    const { problems } = await log.archive.verify();
    if (problems.length > 0) return 'reported by verify';
    return (await contents(log)) === expected ? 'recovered' : 'silent';
  } finally {
    await log.close();
  }
}

type Tally = Record<string, number>;

interface Place {
  state: string;
  file: (typeof FILES)[number];
}

async function flips({ state, file }: Place, count: number, tally: Tally): Promise<string[]> {
  const { length } = readFileSync(join(state, file));
  const random = seeded(length + count);
  const silent: string[] = [];
  for (let i = 0; i < count; i += 1) {
    // Spread over the file, a random bit in each part of it.
    const at = Math.min(length - 1, Math.floor(((i + random()) / count) * length));
    const bit = Math.floor(random() * 8);
    const met = await outcome(state, file, (bytes) => {
      bytes[at]! ^= 1 << bit;
      return bytes;
    });
    tally[met] = (tally[met] ?? 0) + 1;
    if (met === 'silent') silent.push(`${file}: bit ${bit} of byte ${at}`);
  }
  return silent;
}

async function cuts({ state, file }: Place, count: number, tally: Tally): Promise<string[]> {
  const { length } = readFileSync(join(state, file));
  const silent: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const size = Math.floor((i / count) * length);
    const met = await outcome(state, file, (bytes) => bytes.subarray(0, size));
    tally[met] = (tally[met] ?? 0) + 1;
    if (met === 'silent') silent.push(`${file}: cut to ${size} bytes`);
  }
  return silent;
}

describe('damage to the files of a log is recovered in full, or reported', () => {
  const total = { cases: 0 };
  const check = (tally: Tally, silent: string[], cases: number): void => {
    total.cases += cases;
    expect(Object.values(tally).reduce((a, b) => a + b)).toBe(cases);
    expect(silent).toEqual([]);
    // The damage is real: some of it is found.
    expect((tally['reported at open'] ?? 0) + (tally['reported by verify'] ?? 0)).toBeGreaterThan(0);
  };

  it('is a log that is whole without damage', async () => {
    expect(await outcome(killed, '', (bytes) => bytes)).toBe('recovered');
    expect(await outcome(closed, '', (bytes) => bytes)).toBe('recovered');
  });

  it('bits of the database, after a clean close', async () => {
    const tally: Tally = {};
    check(tally, await flips({ state: closed, file: 'log.db' }, 700, tally), 700);
  });

  it('bits of the database under a write-ahead log', async () => {
    const tally: Tally = {};
    check(tally, await flips({ state: killed, file: 'log.db' }, 300, tally), 300);
  });

  it('bits of the write-ahead log', async () => {
    const tally: Tally = {};
    check(tally, await flips({ state: killed, file: 'log.db-wal' }, 600, tally), 600);
  });

  it('bits of the head file', async () => {
    const tally: Tally = {};
    check(tally, await flips({ state: killed, file: 'head' }, 100, tally), 100);
    expect(tally['recovered']).toBeUndefined();
  });

  it('ends of the files', async () => {
    const tally: Tally = {};
    const silent = [
      ...(await cuts({ state: closed, file: 'log.db' }, 100, tally)),
      ...(await cuts({ state: killed, file: 'log.db' }, 60, tally)),
      ...(await cuts({ state: killed, file: 'log.db-wal' }, 200, tally)),
      ...(await cuts({ state: killed, file: 'head' }, 40, tally)),
    ];
    check(tally, silent, 400);
  });

  it('was tried at least 1,200 times', () => {
    expect(total.cases).toBeGreaterThanOrEqual(1200);
  });

  it.each([
    ['head', 'store_corrupt'],
    ['log.db', 'store_corrupt'],
    ['log.db-wal', 'store_corrupt'],
  ])('a deleted %s', async (file, code) => {
    const directory = join(root, `without ${file}`);
    cpSync(killed, directory, { recursive: true, filter: (path) => !path.endsWith(file) || path.endsWith('without head') });
    await expect(openSqliteLog({ directory })).rejects.toMatchObject({ code });
  });

  it('leaves damaged files as they are, until it is told to go on from what is left', async () => {
    const directory = join(root, 'accepted');
    cpSync(killed, directory, { recursive: true });
    const wal = readFileSync(join(directory, 'log.db-wal'));
    const cut = wal.subarray(0, Math.floor(wal.length / 2));
    writeFileSync(join(directory, 'log.db-wal'), cut);
    for (let i = 0; i < 2; i += 1) {
      await expect(openSqliteLog({ directory })).rejects.toMatchObject({
        code: 'store_corrupt',
        remedy: expect.stringContaining('--accept-head') as string,
      });
      expect(readFileSync(join(directory, 'log.db-wal')).equals(cut)).toBe(true);
    }
    const log = await openSqliteLog({ directory, acceptHead: true });
    const { events, problems } = await log.archive.verify();
    expect(problems).toEqual([]);
    expect(events).toBeLessThan((JSON.parse(expected) as [unknown, unknown[]])[1].length);
    await log.append({ stream: 'session/one', id: 'after', expected: 'any', events: [message('x')] });
    await log.close();
    await (await openSqliteLog({ directory })).close();
  });
});
