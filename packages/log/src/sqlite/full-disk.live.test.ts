// What a log meets on a file system that is full or read-only.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, type TestContext } from 'vitest';

const S = 'session/sesn_1';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dreamfold-disk-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A module's text, with what it needs to look at a log in a directory. */
function script(body: string, at: string): string[] {
  const source = `
    import { execFileSync } from 'node:child_process';
    import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
    import { DatabaseSync } from 'node:sqlite';
    import { openSqliteLog } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)};
    import { acquireProcessorLock } from ${JSON.stringify(new URL('processor-lock.ts', import.meta.url).href)};
    const directory = ${JSON.stringify(at)};
    const message = (text) => ({ type: 'user.message', data: { content: [{ type: 'text', text }] }, class: 'open', actor: 'user' });
    const add = async (log, from, to) => {
      for (let i = from; i < to; i += 1) await log.append({ stream: '${S}', id: 'a' + i, expected: 'any', events: [message('x'.repeat(300))] });
    };
    /** What is there once its processes were killed: the files as they are, without the memory that they shared. */
    const killed = (source) => {
      mkdirSync(directory);
      for (const file of readdirSync(source)) if (!file.endsWith('-shm')) cpSync(source + '/' + file, directory + '/' + file);
    };
    /** Leaves no byte. */
    const fillDisk = () => { for (const size of [4e6, 4096]) try { writeFileSync(directory + '/../ballast' + size, 'x'.repeat(size)); } catch {} };
    /** What can be read, or why nothing can. */
    const look = async () => {
      const notices = [];
      try {
        const log = await openSqliteLog({ directory, readOnly: true, onNotice: ({ message }) => notices.push(message) });
        let seq = 0;
        for await (const batch of log.read('${S}')) seq = batch.at(-1).seq;
        const { problems } = await log.archive.verify();
        await log.close();
        return { notices, seq, problems };
      } catch ({ code, message, remedy }) {
        return { notices, code, message, remedy };
      }
    };
    ${body}`;
  return ['--input-type=module', '-e', source];
}

/** Whether a file system of a given size can be mounted here, in a namespace that nobody else sees. */
function mountProblem(): string | null {
  const { status, stderr, error } = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()], { encoding: 'utf8' });
  return status === 0 ? null : `no file system can be mounted here: ${error?.message ?? stderr.trim()}`;
}

describe('a file system', () => {
  const problem = mountProblem();
  const run = (context: TestContext, sizeKib: number, body: string): unknown => {
    context.skip(problem !== null, problem ?? '');
    const mounted = [
      '-m',
      'sh',
      '-c',
      `mount -t tmpfs -o size=${sizeKib}k tmpfs "$0" && exec "$@"`,
      directory,
      process.execPath,
      ...script(body, join(directory, 'data')),
    ];
    const { stdout, stderr, status } = spawnSync('unshare', mounted, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`The script ended with ${status}: ${stderr}`);
    return JSON.parse(stdout);
  };

  it('that is full is a clear error, and loses nothing acknowledged', (context) => {
    const result = run(
      context,
      1024,
      `
      const log = await openSqliteLog({ directory });
      writeFileSync(directory + '/../ballast', 'x'.repeat(200_000));
      const count = async (log) => { let n = 0; for await (const batch of log.read('${S}')) n += batch.length; return n; };
      const append = (i) => log.append({ stream: '${S}', id: 'a' + i, expected: 'any', events: [message('x'.repeat(900)), message('y')] });
      let acknowledged = 0, full = null;
      for (let i = 0; full === null; i += 1) await append(i).then(() => { acknowledged += 2 }, (error) => { full = error });
      const again = await append(-1).catch((error) => error.code);
      const readable = await count(log);
      const whileFull = (await log.archive.verify()).problems;
      rmSync(directory + '/../ballast');
      await append(-2);
      await log.close();
      const reopened = await openSqliteLog({ directory });
      const after = await count(reopened);
      const { problems } = await reopened.archive.verify();
      console.log(JSON.stringify({ code: full.code, remedy: full.remedy, again, acknowledged, readable, whileFull, after, problems }));`,
    ) as Record<string, unknown>;
    expect(result).toMatchObject({ code: 'store_full', again: 'store_full', whileFull: [], problems: [] });
    expect(result['remedy']).toMatch(/disk/);
    expect(result['acknowledged']).toBeGreaterThan(20);
    expect(result['readable']).toBe(result['acknowledged']);
    expect(result['after']).toBe((result['acknowledged'] as number) + 2);
  });

  it('without room for a log is a clear error too', (context) => {
    expect(
      run(context, 16, `console.log(JSON.stringify(await openSqliteLog({ directory }).then(() => 'opened', (error) => error.code)));`),
    ).toBe('store_full');
  });

  it('that is full leaves a new directory without a log, and with a lock that nobody holds', (context) => {
    const result = run(
      context,
      1024,
      `
      const open = () => openSqliteLog({ directory }).then((log) => log.close()).then(() => 'opened', (error) => error.code);
      const ballast = directory + '/../ballast';
      mkdirSync(directory);
      try { writeFileSync(ballast, 'x'.repeat(2_000_000)); } catch {}
      const code = await open();
      const left = readdirSync(directory);
      const lock = await acquireProcessorLock(directory).then(() => 'held', (error) => error.code);
      left.push(...readdirSync(directory));
      rmSync(ballast);
      console.log(JSON.stringify({ code, lock, left, after: await open() }));`,
    );
    expect(result).toEqual({ code: 'store_full', lock: 'store_full', left: ['processor.lock'], after: 'opened' });
  });

  it('that is read-only can be read', (context) => {
    const result = run(
      context,
      4096,
      `
      const log = await openSqliteLog({ directory });
      await log.append({ stream: '${S}', id: 'a', expected: 0, events: [message('x')] });
      await log.close();
      execFileSync('mount', ['-o', 'remount,ro', directory + '/..']);
      const writable = await openSqliteLog({ directory }).catch((error) => error.code);
      const fresh = await openSqliteLog({ directory: directory + '2' }).catch((error) => error.code);
      const reader = await openSqliteLog({ directory, readOnly: true });
      const { seq } = await reader.head('${S}');
      const { problems } = await reader.archive.verify();
      console.log(JSON.stringify({ writable, fresh, seq, problems }));`,
    );
    expect(result).toEqual({ writable: 'store_read_only', fresh: 'store_read_only', seq: 1, problems: [] });
  });

  it('without room for the memory that readers share can be read as it is', (context) => {
    const result = run(
      context,
      1024,
      `
      const log = await openSqliteLog({ directory });
      await add(log, 0, 30);
      await log.close();
      fillDisk();
      const seen = await look();
      const written = await openSqliteLog({ directory }).catch((error) => error.code);
      console.log(JSON.stringify({ ...seen, written }));`,
    );
    expect(result).toEqual({
      notices: [expect.stringMatching(/^The disk is full: .*log.db is read as it is/) as string],
      seq: 30,
      problems: [],
      written: 'store_full',
    });
  });

  it('without that room can be read too when all of the write-ahead log was applied', (context) => {
    const result = run(
      context,
      1024,
      `
      const source = mkdtempSync('${tmpdir()}/dreamfold-source-');
      const log = await openSqliteLog({ directory: source });
      await add(log, 0, 30);
      const other = new DatabaseSync(source + '/log.db');
      other.exec('PRAGMA wal_checkpoint(PASSIVE)');
      killed(source);
      fillDisk();
      const seen = await look();
      other.close();
      await log.close();
      rmSync(source, { recursive: true });
      console.log(JSON.stringify({ ...seen, wal: existsSync(directory + '/log.db-wal') }));`,
    );
    expect(result).toMatchObject({ notices: [expect.any(String) as string], seq: 30, problems: [], wal: true });
  });

  it.for([
    ['the newest', 20, /^Events 22 to 31 of the log stand in log.db-wal \(\d+ bytes\), which takes 32 KiB more to read/],
    ['all', 0, /^All 31 events of the log stand in log.db-wal/],
  ] as const)('without that room says that %s events stand in the write-ahead log', ([, applied, words], context) => {
    const result = run(
      context,
      1024,
      `
      const source = mkdtempSync('${tmpdir()}/dreamfold-source-');
      const log = await openSqliteLog({ directory: source });
      await add(log, 0, ${applied});
      const other = new DatabaseSync(source + '/log.db');
      if (${applied} > 0) other.exec('PRAGMA wal_checkpoint(PASSIVE)');
      await add(log, ${applied}, 30);
      killed(source);
      other.close();
      await log.close();
      rmSync(source, { recursive: true });
      fillDisk();
      const seen = await look();
      for (const file of readdirSync(directory + '/..')) if (file.startsWith('ballast')) rmSync(directory + '/../' + file);
      console.log(JSON.stringify({ ...seen, later: (await look()).seq }));`,
    );
    expect(result).toMatchObject({
      code: 'store_full',
      message: expect.stringMatching(words) as string,
      remedy: expect.stringContaining('64 KiB') as string,
      later: 30,
    });
  });
});
