// What is left of a log whose files were lost or emptied is never taken for a new one, and never tidied away.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GENESIS_HASH, isDreamfoldError } from '@dreamfold/events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fill } from '../conformance/log-under-test.ts';
import { HeadFile } from './database/head-file.ts';
import { openSqliteLog } from './open-sqlite-log.ts';

let root: string;
/** A young log as a killed process leaves it: all of its events stand in the write-ahead log. */
let killed: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'dreamfold-emptied-'));
  const log = await openSqliteLog({ directory: join(root, 'live') });
  await fill(log, 'session/sesn_1', 30);
  killed = join(root, 'killed');
  cpSync(join(root, 'live'), killed, { recursive: true });
  await log.close();
});
afterAll(() => rmSync(root, { recursive: true }));

const FILES = { head: 'head', db: 'log.db', wal: 'log.db-wal', shm: 'log.db-shm' } as const;
type State = 'whole' | 'begun' | 'empty' | 'missing';

/** Every state of each file; `begun` is the head of a log that has no event yet. */
const CASES = (['whole', 'begun', 'empty', 'missing'] as const).flatMap((head) =>
  (['whole', 'empty', 'missing'] as const).flatMap((db) =>
    (['whole', 'empty', 'missing'] as const).flatMap((wal) => (['whole', 'missing'] as const).map((shm) => ({ head, db, wal, shm }))),
  ),
);

/** What comes of it: the whole log, a new one, or the refusal to touch what is there. */
function expected({ head, db, wal, shm }: (typeof CASES)[number]): 'opened' | 'begun' | 'store_corrupt' {
  if (db !== 'whole' && (wal !== 'missing' || shm !== 'missing')) return 'store_corrupt';
  if (db === 'whole' && (head === 'empty' || head === 'missing')) return 'store_corrupt';
  // A process can die between its commit and the write of the head file.
  if (db === 'whole' && wal === 'whole') return 'opened';
  return head === 'whole' ? 'store_corrupt' : 'begun';
}

function make(states: Record<keyof typeof FILES, State>): string {
  const directory = join(root, 'case');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  for (const [name, file] of Object.entries(FILES) as [keyof typeof FILES, string][]) {
    const state = states[name];
    if (state === 'whole') cpSync(join(killed, file), join(directory, file));
    if (state === 'empty') writeFileSync(join(directory, file), '');
    if (state !== 'begun') continue;
    const begun = new HeadFile(join(directory, file));
    begun.write({ position: 0, hash: GENESIS_HASH }, false);
    begun.close();
  }
  return directory;
}

const bytesOf = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory)
      .filter((file) => file !== FILES.shm)
      .map((file) => [file, readFileSync(join(directory, file), 'base64')]),
  );

async function outcome(directory: string, how: { readOnly?: boolean; acceptHead?: boolean }): Promise<string> {
  try {
    const log = await openSqliteLog({ directory, ...how });
    const { seq } = await log.head('session/sesn_1');
    await log.close();
    return seq === 30 ? 'opened' : `begun with ${seq}`;
  } catch (error) {
    if (!isDreamfoldError(error)) throw error;
    if (error.code === 'store_corrupt') expect(error.remedy).toMatch(/copy/);
    return error.code;
  }
}

it.each(CASES)('head $head, database $db, write-ahead log $wal, shared memory $shm', async (states) => {
  const wanted = expected(states);
  for (const readOnly of [true, false]) {
    const directory = make(states);
    const before = bytesOf(directory);
    const met = await outcome(directory, { readOnly });
    if (wanted === 'begun') expect(met).toBe(readOnly ? 'not_found' : 'begun with 0');
    else expect(met).toBe(wanted);
    if (wanted !== 'store_corrupt') continue;
    expect(bytesOf(directory)).toMatchObject(before);
    // An empty database is not even opened.
    if (states.db !== 'whole') expect(readdirSync(directory).toSorted()).toEqual(Object.keys(FILES).flatMap(whatStood(states)).toSorted());
  }
});

const whatStood =
  (states: Record<string, State>) =>
  (name: string): string[] =>
    states[name] === 'missing' ? [] : [FILES[name as keyof typeof FILES]];

it('to accept the head begins a new log where none is left, and still touches no write-ahead log without its database', async () => {
  expect(await outcome(make({ head: 'empty', db: 'whole', wal: 'missing', shm: 'missing' }), { acceptHead: true })).toBe('begun with 0');
  const directory = make({ head: 'empty', db: 'empty', wal: 'whole', shm: 'missing' });
  expect(await outcome(directory, { acceptHead: true })).toBe('store_corrupt');
  expect(existsSync(join(directory, FILES.wal))).toBe(true);
});
