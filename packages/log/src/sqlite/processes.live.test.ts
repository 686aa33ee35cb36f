import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { StoredEvent } from '@dreamfold/events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collect, fill, message, readAll, readAllStored } from '../conformance/log-under-test.ts';
import { openSqliteLog } from './open-sqlite-log.ts';

const S = 'session/sesn_1';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dreamfold-processes-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A module's text that has the log of `directory` open as `log`. */
function script(body: string): string[] {
  const source = `
    import { writeSync } from 'node:fs';
    import { openSqliteLog } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)};
    const directory = ${JSON.stringify(directory)};
    const message = (text) => ({ type: 'user.message', data: { content: [{ type: 'text', text }] }, class: 'open', actor: 'user' });
    ${body}`;
  return ['--input-type=module', '-e', source];
}

function start(body: string): ChildProcess {
  return spawn(process.execPath, script(body), { stdio: ['ignore', 'pipe', 'inherit'] });
}

describe('several processes', () => {
  it('wait in the background without being kept alive by it, and otherwise stay', async () => {
    const wait = (options: string): string => `
      const log = await openSqliteLog({ directory });
      void (async () => {
        for await (const [event] of log.subscribe({ after: [1], signal: new AbortController().signal, ${options} })) {
          console.log(event.seq);
          await log.close();
        }
      })();
      console.log('waits');`;
    expect(spawnSync(process.execPath, script(wait('background: true')), { timeout: 20_000 }).stdout.toString()).toBe('waits\n');
    const child = start(wait(''));
    let said = '';
    child.stdout!.on('data', (chunk) => (said += String(chunk)));
    await expect.poll(() => said, { timeout: 20_000 }).toBe('waits\n');
    const log = await openSqliteLog({ directory });
    await fill(log, S, 1);
    await once(child, 'close');
    expect(said).toBe('waits\n1\n');
    await log.close();
  });

  it('race on one stream and end with one chain', async () => {
    await (await openSqliteLog({ directory })).close();
    const writer = (name: string): string => `
      const log = await openSqliteLog({ directory });
      let conflicts = 0;
      for (let i = 0; i < 150; ) {
        const { seq } = await log.head('${S}');
        try {
          await log.append({ stream: '${S}', id: '${name}' + i, expected: seq, correlation: '${name}' + i, events: [message('x'), message('y')] });
          i += 1;
        } catch (error) {
          if (error.code !== 'head_conflict') throw error;
          conflicts += 1;
        }
      }
      await log.close();
      console.log(conflicts);`;
    const children = ['a', 'b'].map((name) => start(writer(name)));
    const codes = await Promise.all(children.map(async (child) => ((await once(child, 'exit')) as [number])[0]));
    expect(codes).toEqual([0, 0]);
    const log = await openSqliteLog({ directory });
    const events = await readAll(log, S);
    expect(events).toHaveLength(600);
    expect(new Set(events.map((event) => event.id)).size).toBe(600);
    expect((await log.archive.verify()).problems).toEqual([]);
    await log.close();
  });

  it('keep every acknowledged append when they are killed', async () => {
    let last = 0;
    for (let round = 0; round < 6; round += 1) {
      const child = start(`
        const log = await openSqliteLog({ directory });
        for (let { seq } = await log.head('${S}'); ; ) {
          const { head } = await log.append({ stream: '${S}', id: 'a' + seq, expected: seq, events: [message('x'.repeat(500)), message('y')] });
          seq = head.seq;
          writeSync(1, seq + '\\n');
        }`);
      let acknowledged = 0;
      createInterface(child.stdout!).on('line', (line) => {
        acknowledged = Number(line);
        if (acknowledged >= last + 40 + round * 37) child.kill('SIGKILL');
      });
      await once(child, 'close');
      const log = await openSqliteLog({ directory });
      const { seq } = await log.head(S);
      expect(seq).toBeGreaterThanOrEqual(acknowledged);
      expect(acknowledged).toBeGreaterThan(last);
      expect(await readAll(log, S)).toHaveLength(seq);
      expect((await log.archive.verify()).problems).toEqual([]);
      await log.close();
      last = seq;
    }
  });

  it('may look at the log of one that writes, and only look', async () => {
    const log = await openSqliteLog({ directory });
    await fill(log, S, 5);
    const reader = await openSqliteLog({ directory, readOnly: true });
    const stop = new AbortController();
    const taken: number[] = [];
    const tail = (async () => {
      for await (const batch of reader.subscribe({ after: [0], stream: S, signal: stop.signal })) {
        taken.push(...batch.map((event) => event.seq));
        if (taken.length === 6) stop.abort();
      }
    })();
    await log.append({ stream: S, id: 'later', expected: 5, events: [message('x')] });
    await tail;
    expect(taken).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await reader.archive.verify()).problems).toEqual([]);
    await expect(reader.append({ stream: S, id: 'b', expected: 6, events: [message('x')] })).rejects.toMatchObject({
      code: 'store_read_only',
    });
    await expect(reader.erasure.erase(S, { seqs: [1], reason: 'asked for' })).rejects.toMatchObject({ code: 'store_read_only' });
    await reader.close();
    await log.close();
  });
});

describe('an erased payload', () => {
  it('is in none of the files any more', async () => {
    const log = await openSqliteLog({ directory });
    const secret = 'sk-the-secret-that-leaked';
    const files = (): string[] => readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes(secret));
    await fill(log, S, 30);
    // One that shares its page with others, and one that fills pages of its own.
    await log.append({
      stream: S,
      id: 'small',
      expected: 30,
      events: [message(secret), message(`${secret} `.repeat(2000)), message('stays')],
    });
    await fill(log, 'session/other', 30);
    expect(files()).not.toEqual([]);
    expect((await log.erasure.erase(S, { seqs: [31, 32], reason: 'asked for' })).events).toHaveLength(2);
    expect(files()).toEqual([]);
    expect(await log.archive.verify()).toMatchObject({ erased: 2, problems: [] });
    await log.close();
    expect(files()).toEqual([]);
  });
});

describe('the sqlite3 shell', () => {
  it('has a view that a person can read', async () => {
    const log = await openSqliteLog({ directory });
    await log.append({ stream: S, id: 'a', expected: 0, time: 0, correlation: 'req_1', events: [message('hello')] });
    const stored: StoredEvent[] = await readAllStored(log, S);
    await log.close();
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(join(directory, 'log.db'));
    const row = db.prepare('SELECT stream, seq, time, kind, actor, correlation, data FROM log WHERE position = 2').get();
    db.close();
    expect({ ...row }).toEqual({
      stream: S,
      seq: 1,
      time: '1970-01-01 00:00:00.000',
      kind: 'user.message@2 open',
      actor: 'user',
      correlation: 'req_1',
      data: stored[0]!.data,
    });
    expect(await collect((await openSqliteLog({ directory, readOnly: true })).streams('session'))).toHaveLength(1);
  });
});
