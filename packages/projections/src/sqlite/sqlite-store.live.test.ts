import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { streamOf, text } from '@dreamfold/events';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { describeProjectionStore } from '../conformance/index.ts';
import { Lists, type ListNotice } from '../lists.ts';
import { openSqliteStore } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'dreamfold-projections-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describeProjectionStore('sqlite', (place) => openSqliteStore({ path: join(directory, `${place}.db`) }));

let path = '';
let log: Log;
let notices: ListNotice[] = [];
let number = 0;

function lists(): Lists {
  return new Lists({
    ...{ log, openStore: () => openSqliteStore({ path }), processor: () => null, onNotice: (notice) => notices.push(notice) },
  });
}

async function say(words: string, session = 'sesn_1'): Promise<void> {
  const event = { type: 'user.message', data: { content: text(words) }, class: 'open', actor: 'user' } as const;
  await log.append({ stream: streamOf('session', session), id: `m${(number += 1)}`, expected: 'any', events: [event] });
}

async function eventsOf(asked: Lists): Promise<number[]> {
  const { rows } = await asked.sessions({ order: 'oldest' });
  asked.close();
  return rows.map(({ events }) => events);
}

function bytes(): string {
  return readdirSync(directory)
    .filter((file) => join(directory, file).startsWith(path))
    .map((file) => readFileSync(join(directory, file), 'latin1'))
    .join('');
}

beforeEach(async () => {
  path = join(directory, `views-${(number += 1)}.db`);
  log = openMemoryLog();
  notices = [];
  await say('One.');
  expect(await eventsOf(lists())).toEqual([1]);
  await say('Two.');
});

describe('a file that was', () => {
  test('deleted is made again', async () => {
    for (const ending of ['', '-wal', '-shm']) rmSync(`${path}${ending}`, { force: true });
    expect(await eventsOf(lists())).toEqual([2]);
  });

  test.each([
    ['overwritten with text', () => writeFileSync(path, 'no database at all')],
    ['cut short', () => writeFileSync(path, readFileSync(path).subarray(0, 5000))],
    ['emptied', () => writeFileSync(path, '')],
    [
      'damaged in its pages',
      () => {
        const file = openSync(path, 'r+');
        for (let at = 4096; at < 60_000; at += 4096) writeSync(file, Buffer.alloc(64, 7), 0, 64, at);
        closeSync(file);
      },
    ],
    ['given other tables', () => new DatabaseSync(path).exec('CREATE TABLE other (a)')],
    ['given a row that is no JSON', () => new DatabaseSync(path).exec("UPDATE rows SET state = '{'")],
    ['given a checkpoint that is no JSON', () => new DatabaseSync(path).exec("UPDATE checkpoint SET text = '{'")],
  ])('%s is made anew', async (_, damage) => {
    for (const ending of ['-wal', '-shm']) rmSync(`${path}${ending}`, { force: true });
    damage();
    expect(await eventsOf(lists())).toEqual([2]);
    expect(notices).toEqual([]);
    expect(await eventsOf(lists())).toEqual([2]);
  });
});

describe('where the file cannot be written', () => {
  test('the list is folded in memory, and the user is told once', async () => {
    path = join(directory, 'nowhere', 'views.db');
    const asked = lists();
    await asked.sessions();
    await say('Three.');
    expect(await eventsOf(asked)).toEqual([3]);
    expect(notices).toEqual([{ kind: 'list_in_memory', message: expect.stringContaining(path) }]);
  });

  test('because somebody holds a lock, it is as well', async () => {
    const holder = new DatabaseSync(path);
    holder.exec('BEGIN IMMEDIATE');
    expect(await eventsOf(lists())).toEqual([2]);
    expect(notices[0]?.message).toContain('locked');
    holder.exec('ROLLBACK');
    expect(await eventsOf(lists())).toEqual([2]);
    expect(notices).toHaveLength(1);
  });
});

test('nothing of an erased payload is left in the file', async () => {
  // Long enough to fill pages of its own, which are let go of.
  await say(`Sesame-4711 ${'x'.repeat(20_000)} Sesame-4712`, 'sesn_2');
  const asked = lists();
  await asked.sessions();
  expect(bytes()).toContain('Sesame-4712');
  await log.erasure.erase(streamOf('session', 'sesn_2'), { seqs: [1], reason: 'asked for' });
  await asked.catchUp();
  expect(bytes()).not.toContain('Sesame-4711');
  expect(bytes().toLowerCase()).not.toContain('sesame');
  asked.close();
});
