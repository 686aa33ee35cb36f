import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { NewEvent } from '@dreamfold/events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fill, message, readAll } from '../conformance/log-under-test.ts';
import { openSqliteLog } from './open-sqlite-log.ts';

const S = 'session/sesn_1';

let root: string;
let directory: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dreamfold-open-'));
  directory = join(root, 'data');
});
afterEach(() => rmSync(root, { recursive: true }));

/** Changes a closed log's database behind its back. */
async function tamper(sql: string): Promise<void> {
  await (await openSqliteLog({ directory })).close();
  const db = new DatabaseSync(join(directory, 'log.db'));
  db.exec(sql);
  db.close();
}

describe('opening a log', () => {
  it('makes the directory, and leaves three files at most', async () => {
    const log = await openSqliteLog({ directory });
    await log.close();
    expect(readdirSync(directory).toSorted()).toEqual(['head', 'log.db']);
  });

  it('is possible for many at once, also the first time', async () => {
    const logs = await Promise.all(Array.from({ length: 5 }, () => openSqliteLog({ directory })));
    expect(new Set(logs.map((log) => log.logId)).size).toBe(1);
    for (const log of logs) await log.close();
  });

  it('says what is wrong with the directory', async () => {
    await expect(openSqliteLog({ directory: join(root, 'no', 'such') })).rejects.toMatchObject({
      code: 'not_found',
      path: join(root, 'no', 'such'),
    });
    await expect(openSqliteLog({ directory: join(root, 'x'.repeat(300)) })).rejects.toMatchObject({ code: 'invalid_path' });
    writeFileSync(join(root, 'file'), '');
    await expect(openSqliteLog({ directory: join(root, 'file') })).rejects.toMatchObject({ code: 'invalid_path' });
    await expect(openSqliteLog({ directory: join(root, 'file', 'below') })).rejects.toMatchObject({ code: 'invalid_path' });
    expect(readdirSync(root)).toEqual(['file']);
  });

  it('begins where somebody was killed who was making the database', async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'head'), '');
    const db = new DatabaseSync(join(root, 'half.db'));
    db.exec('PRAGMA cache_size = 1; BEGIN; CREATE TABLE made (text TEXT)');
    for (let i = 0; i < 1000; i += 1) db.exec(`INSERT INTO made VALUES ('${'x'.repeat(1000)}')`);
    cpSync(join(root, 'half.db'), join(directory, 'log.db'));
    cpSync(join(root, 'half.db-journal'), join(directory, 'log.db-journal'));
    db.close();
    await expect(openSqliteLog({ directory, readOnly: true })).rejects.toMatchObject({ code: 'not_found' });
    const log = await openSqliteLog({ directory });
    await fill(log, S, 1);
    await log.close();
    expect(readdirSync(directory).toSorted()).toEqual(['head', 'log.db']);
  });

  it('begins where an empty head file was left behind, and no database', async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'head'), '');
    const log = await openSqliteLog({ directory });
    await fill(log, S, 1);
    await log.close();
    expect(readFileSync(join(directory, 'head'), 'latin1')).toMatch(/^0{15}2 /);
    expect(readdirSync(directory).toSorted()).toEqual(['head', 'log.db']);
  });

  it('says so when a directory is in the place of the head file', async () => {
    await (await openSqliteLog({ directory })).close();
    rmSync(join(directory, 'head'));
    mkdirSync(join(directory, 'head'));
    await expect(openSqliteLog({ directory })).rejects.toMatchObject({ code: 'store_corrupt', path: join(directory, 'head') });
    await expect(openSqliteLog({ directory, acceptHead: true })).rejects.toMatchObject({ code: 'invalid_path' });
  });

  it('does not take an emptied head file for a new log', async () => {
    await (await openSqliteLog({ directory })).close();
    writeFileSync(join(directory, 'head'), '');
    await expect(openSqliteLog({ directory })).rejects.toMatchObject({ code: 'store_corrupt', path: join(directory, 'head') });
  });

  it('read-only makes nothing', async () => {
    await expect(openSqliteLog({ directory, readOnly: true })).rejects.toMatchObject({ code: 'not_found' });
    mkdirSync(directory);
    await expect(openSqliteLog({ directory, readOnly: true })).rejects.toMatchObject({ code: 'not_found' });
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([
    ['garbage', 'not a database, but long enough to have a header '.repeat(10)],
    ['a short file', 'SQLite'],
  ])('refuses %s', async (_, text) => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'log.db'), text);
    await expect(openSqliteLog({ directory })).rejects.toMatchObject({ code: 'store_corrupt' });
    expect(readFileSync(join(directory, 'log.db'), 'utf8')).toBe(text);
  });

  it('refuses a database of something else', async () => {
    mkdirSync(directory);
    const db = new DatabaseSync(join(directory, 'log.db'));
    db.exec('CREATE TABLE notes (text)');
    db.close();
    await expect(openSqliteLog({ directory })).rejects.toMatchObject({ code: 'store_corrupt' });
  });

  it.each([
    ['PRAGMA user_version = 2', 'store_newer_than_code'],
    ['PRAGMA user_version = 0', 'store_corrupt'],
    ['PRAGMA application_id = 1', 'store_corrupt'],
    ['DROP INDEX claims', 'store_corrupt'],
    ['ALTER TABLE events ADD COLUMN more TEXT', 'store_corrupt'],
    [`UPDATE events SET data = replace(data, '"rule":1', '"rule":2')`, 'store_newer_than_code'],
    ["UPDATE events SET data = x'00'", 'store_corrupt'],
    [`UPDATE events SET data = '{'`, 'store_corrupt'],
    ['UPDATE events SET position = 2', 'store_corrupt'],
    ['DELETE FROM events', 'store_corrupt'],
    ['PRAGMA foreign_keys = OFF; DELETE FROM streams', 'store_corrupt'],
  ])('after %s is refused', async (sql, code) => {
    await tamper(sql);
    await expect(openSqliteLog({ directory })).rejects.toMatchObject({ code });
    await expect(openSqliteLog({ directory, readOnly: true })).rejects.toMatchObject({ code });
  });

  it('goes on when the process died between its commit and the head file', async () => {
    const log = await openSqliteLog({ directory });
    await fill(log, S, 3);
    const before = readFileSync(join(directory, 'head'));
    await fill(log, 'session/two', 2);
    await log.close();
    writeFileSync(join(directory, 'head'), before);
    const again = await openSqliteLog({ directory });
    expect(await again.cursor()).toEqual([6]);
    expect(readFileSync(join(directory, 'head'), 'latin1')).toMatch(/^0{15}6 /);
    await again.close();
  });

  it('goes on with a lost head file only when told to', async () => {
    const log = await openSqliteLog({ directory });
    await fill(log, S, 3);
    await log.close();
    rmSync(join(directory, 'head'));
    await expect(openSqliteLog({ directory })).rejects.toMatchObject({ code: 'store_corrupt', path: join(directory, 'head') });
    expect(existsSync(join(directory, 'head'))).toBe(false);
    await (await openSqliteLog({ directory, acceptHead: true })).close();
    await (await openSqliteLog({ directory })).close();
  });

  it('waits for a transaction of another process only so long', { timeout: 20_000 }, async () => {
    const log = await openSqliteLog({ directory });
    const other = new DatabaseSync(join(directory, 'log.db'));
    other.exec('BEGIN IMMEDIATE');
    await expect(log.append({ stream: S, id: 'a', expected: 0, events: [message('x')] })).rejects.toMatchObject({ code: 'store_locked' });
    expect(await log.head(S)).toMatchObject({ seq: 0 });
    other.exec('ROLLBACK');
    other.close();
    expect(await log.append({ stream: S, id: 'a', expected: 0, events: [message('x')] })).toMatchObject({ duplicate: false });
    await log.close();
  });

  it.each([
    ['full', true, 2],
    ['process', false, 1],
  ] as const)('asks for the disk with every append when its durability is %s: %j', async (durability, power, synchronous) => {
    // The log's own connection: another one has a setting of its own.
    const connections = vi.spyOn(DatabaseSync.prototype, 'exec');
    const log = await openSqliteLog({ directory, durability });
    const own = connections.mock.contexts.at(-1) as DatabaseSync;
    connections.mockRestore();
    expect(own.prepare('PRAGMA synchronous').get()).toEqual({ synchronous });
    expect(log.capabilities.survives).toEqual({ process: true, power });
    await fill(log, S, 3);
    await log.close();
  });

  it('keeps the clock that it is given', async () => {
    const log = await openSqliteLog({ directory, clock: () => 42 });
    await fill(log, S, 1);
    expect((await readAll(log, S))[0]!.time).toBe(42);
    await log.close();
  });
});

describe('the size of a run', () => {
  it('of 50 turns with 32 KB of payload is at most 60 KiB on disk', async () => {
    const size = async (): Promise<number> => {
      const bytes = statSync(join(directory, 'log.db')).size;
      expect(readdirSync(directory)).not.toContain('log.db-wal');
      return bytes;
    };
    const event = (type: string, data: object, causation: number): NewEvent => ({
      type,
      data,
      class: 'owner',
      actor: 'sthr_lead',
      causation,
    });
    const sizes: number[] = [];
    let payload = 0;
    for (let run = 0; run < 5; run += 1) {
      const log = await openSqliteLog({ directory });
      const stream = `session/sesn_4k2ab9zx0${run}`;
      let seq = 0;
      const append = async (...events: NewEvent[]): Promise<void> => {
        payload += events.reduce((sum, { data }) => sum + Buffer.byteLength(JSON.stringify(data)), 0);
        const id = `sevt_${String(seq).padStart(3, '0')}abcdefghijklmnopq`;
        ({ seq } = (await log.append({ stream, id, expected: seq, epoch: 1, correlation: `req_${run}`, events })).head);
      };
      await append({ type: 'session.claimed', data: { nonce: 'n'.repeat(20) }, class: 'claim', actor: 'system' });
      for (let turn = 0; turn < 50; turn += 1) {
        const content = [{ type: 'text', text: 'word '.repeat(20) }];
        await append(
          event('agent.message', { content }, seq),
          event(
            'agent.tool_use',
            { name: 'look_up_order', input: { order: `ORD-${turn}`, detail: 'd'.repeat(60) }, evaluated_permission: 'allow' },
            seq,
          ),
        );
        await append(
          event('agent.tool_result', { tool_use_id: `sevt_${turn}abcdefghijklmnopq`, content }, seq),
          event('agent.message', { content }, seq),
        );
      }
      await log.close();
      sizes.push(await size());
    }
    expect(payload / 5).toBeGreaterThan(25_000);
    const growth = (sizes.at(-1)! - sizes[0]!) / 4;
    // Payload of other lengths is counted as it is: what is promised is what the log adds to it.
    expect(growth - payload / 5).toBeLessThanOrEqual((60 - 32) * 1024);
  });
});
