import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GENESIS_HASH, hashInput, streamOf, text } from '@dreamfold/events';
import { openMemoryLog, seenBy, type Log } from '@dreamfold/log';
import { afterAll, describe, expect, test } from 'vitest';
import { sha256 } from '../digest.ts';
import { exportStreams } from './export-streams.ts';
import { checkImport, importSessions } from './import-sessions.ts';
import { loadSession } from '../session/load-session.ts';
import { recordedRow } from '../testing/recorded-rows.ts';
import { readLines, readText } from '../text-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'dreamfold-import-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const row = (n: number): string => JSON.stringify(recordedRow(n));
const runs = write('runs.jsonl', Array.from({ length: 40 }, (_, i) => row(i)).join('\n'));

async function headsOf(log: Log): Promise<unknown[]> {
  const heads = [];
  for await (const batch of log.streams()) heads.push(...batch.filter(({ stream }) => !stream.startsWith('log/')));
  return heads;
}

async function exportTo(name: string, log: Log, sessions?: string[]): Promise<string> {
  let lines = '';
  for await (const line of exportStreams(log, sessions === undefined ? {} : { sessions })) lines += line;
  return write(name, lines);
}

describe('an import', () => {
  test('that was cut short is completed, without writing anything twice', async () => {
    const whole = openMemoryLog();
    const { events } = await importSessions(whole, { file: runs, format: 'messages' });
    const log = openMemoryLog();
    let left = 25;
    const dying = new Proxy(log, {
      get: (target, name) => {
        if (name !== 'append')
          return (Reflect.get(target, name) as { bind?: (to: Log) => unknown }).bind?.(target) ?? Reflect.get(target, name);
        return (request: Parameters<Log['append']>[0]) =>
          (left -= 1) < 0 ? Promise.reject(new Error('power cut')) : target.append(request);
      },
    });
    await expect(importSessions(dying, { file: runs, format: 'messages' })).rejects.toThrow('power cut');
    const before = (await headsOf(log)).length;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(40);
    const report = await importSessions(log, { file: runs, format: 'messages' });
    expect(report).toMatchObject({ sessions: 40, passed: 20, failed: 20 });
    expect(await log.cursor()).toEqual(await whole.cursor());
    expect(report.events).toBeLessThan(events);
    expect((await log.archive.verify()).problems).toEqual([]);
  });

  test('twice at the same time counts once', async () => {
    const log = openMemoryLog();
    const reports = await Promise.all([1, 2].map(() => importSessions(log, { file: runs, format: 'messages' })));
    expect((await headsOf(log)).length).toBe(40);
    expect(reports[0]!.events + reports[1]!.events).toBe(seenBy(await log.cursor()) - 1);
    expect(reports[0]!.added + reports[1]!.added).toBe(40);
  });

  test('is checked without a log, and tells how far it is', async () => {
    const seen: [string, number, number][] = [];
    const checked = await checkImport({ file: runs, format: 'messages', onProgress: (...at) => seen.push(at) }, null);
    expect(checked.sessions).toBe(40);
    expect(seen.every(([phase, done, total]) => phase === 'check' && done <= total)).toBe(true);
    const log = openMemoryLog();
    await checked.write(log);
    expect(seen.at(-1)).toEqual(['write', 40, 40]);
  });
});

describe('an export', () => {
  async function withBlob(): Promise<{ log: Log; id: string; sha256: string }> {
    const log = openMemoryLog();
    await importSessions(log, { file: runs, format: 'messages' });
    const [first] = (await headsOf(log)) as { stream: string; head: { seq: number; epoch: number } }[];
    const blob = await log.blobs.put(new TextEncoder().encode('the whole output'));
    await log.append({
      stream: first!.stream,
      id: 'sevt_blob',
      expected: first!.head.seq,
      epoch: 1,
      events: [
        {
          type: 'agent.tool_result',
          class: 'owner',
          actor: 'system',
          data: {
            tool_use_id: 'x',
            content: [{ type: 'image', source: { type: 'blob', df_of: 'base64', media_type: 'image/png', ...blob } }],
          },
        },
      ],
    });
    return { log, id: first!.stream.slice('session/'.length), sha256: blob.sha256 };
  }

  test('carries blobs, and gives the same heads on an empty log', async () => {
    const { log, sha256 } = await withBlob();
    const copy = openMemoryLog();
    const file = await exportTo('all.jsonl', log);
    expect(await importSessions(copy, { file, format: 'dreamfold' })).toMatchObject({ sessions: 40, added: 40, passed: 20, failed: 20 });
    expect(await headsOf(copy)).toEqual(await headsOf(log));
    expect(new TextDecoder().decode((await copy.blobs.get(sha256)) ?? undefined)).toBe('the whole output');
    expect(await importSessions(copy, { file, format: 'dreamfold' })).toMatchObject({ added: 0, events: 0 });
  });

  test('of one session adds what follows the head that is here, and passes over what is older', async () => {
    const { log, id } = await withBlob();
    const copy = openMemoryLog();
    await importSessions(copy, { file: await exportTo('one.jsonl', log, [id]), format: 'dreamfold' });
    await log.append({
      stream: streamOf('session', id),
      id: 'sevt_more',
      expected: 'any',
      events: [{ type: 'feedback.recorded', class: 'open', actor: 'person:x', data: { judges: 'sevt_blob', verdict: 'right', by: 'x' } }],
    });
    const longer = await exportTo('longer.jsonl', log, [id]);
    expect(await importSessions(copy, { file: longer, format: 'dreamfold' })).toMatchObject({ added: 0, events: 1 });
    const older = join(directory, 'one.jsonl');
    expect(await importSessions(copy, { file: older, format: 'dreamfold' })).toMatchObject({ added: 0, events: 0 });
    expect(await loadSession(copy, id)).toEqual(await loadSession(log, id));
  });

  test.each([
    ['a changed blob', (lines: string[]) => lines.map((line) => line.replace(/"base64":"\w{4}/, '"base64":"AAAA')), 'hash_mismatch'],
    ['a changed payload', (lines: string[]) => lines.map((line) => line.replace('Task 7', 'Task 8')), 'hash_mismatch'],
    ['an event twice', (lines: string[]) => lines.toSpliced(3, 0, lines[3]!), 'invalid_import'],
    ['streams that are mixed', (lines: string[]) => lines.toSpliced(-4, 0, lines[1]!), 'invalid_import'],
    [
      'the name of another log',
      (lines: string[]) => lines.with(0, lines[0]!.replace(/"log_id":"\w+"/, '"log_id":"log_x"')),
      'hash_mismatch',
    ],
    ['a line after the end', (lines: string[]) => [...lines.slice(0, -1), lines[1]!], 'invalid_import'],
  ])('with %s is refused, and nothing of it is written', async (_, change, code) => {
    const { log } = await withBlob();
    const lines = (await readText(await exportTo('good.jsonl', log))).split('\n');
    const copy = openMemoryLog();
    await expect(importSessions(copy, { file: write('bad.jsonl', change(lines).join('\n')), format: 'dreamfold' })).rejects.toMatchObject({
      code,
    });
    expect(await copy.cursor()).toEqual([1]);
  });
});

/** Events with right hashes, as anyone can make them. */
function crafted(stream: string, events: readonly { type: string; data: unknown; v?: number; time?: number }[]): string {
  let prev = GENESIS_HASH;
  const lines = events.map(({ type, data, v = 1, time = 1 }, i) => {
    const stored = typeof data === 'string' ? data : JSON.stringify(data);
    const id = `sevt_${i}`;
    const envelope = { stream, seq: i + 1, id, time, prev, type, v, class: 'open' as const, epoch: 0, append: { id, i: 0, n: 1 } };
    const rest = { writer: 'w_x', causation: null, correlation: null, actor: 'user', dataHash: sha256(stored) };
    prev = sha256(hashInput({ ...envelope, ...rest }));
    return { ...envelope, ...rest, hash: prev, data: stored };
  });
  const header = { dreamfold_export: 1, log_id: 'log_x', streams: 1, events: lines.length };
  const all = [header, ...lines, { dreamfold_export_end: true, blobs: 0 }];
  return write('crafted.jsonl', all.map((value) => JSON.stringify(value)).join('\n'));
}

const caps = { depth: 1, threads: 1, turns: 1, tool_calls: 1, tokens: 1, cost_usd: 1, wall_time_ms: 1, identical_calls: 1 };
const created = {
  type: 'session.created',
  data: { principal: 'p', team: { lead: 'desk', agents: [] }, caps, memory: [] },
};

describe('a crafted export', () => {
  const deep = '['.repeat(5000) + ']'.repeat(5000);
  test.each([
    ['an unknown type that is not JSON', [created, { type: 'zzz', data: '{not json' }], 'invalid_json'],
    ['an unknown type that is nested deep', [created, { type: 'zzz', data: deep }], 'json_too_deep'],
    ['a newer version that is not JSON', [created, { type: 'user.message', v: 99, data: 'no' }], 'invalid_json'],
    ['a payload that is too large', [created, { type: 'zzz', data: { text: 'x'.repeat(300_000) } }], 'payload_too_large'],
    ['a time that no date can hold', [created, { type: 'zzz', time: Number.MAX_SAFE_INTEGER, data: {} }], 'invalid_import'],
    ['a key twice', [created, { type: 'zzz', data: '{"a":1,"a":2}' }], 'forbidden_key'],
  ])('with %s is refused with its line, and nothing of it is written', async (_, events, code) => {
    const log = openMemoryLog();
    const file = crafted('session/sesn_x', events);
    await expect(importSessions(log, { file, format: 'dreamfold' })).rejects.toMatchObject({
      code,
      path: expect.stringMatching(/^crafted\.jsonl:3\b/) as string,
    });
    expect(await log.cursor()).toEqual([1]);
  });

  const said = { type: 'user.message', data: { content: text('x') } };
  const completed = { type: 'dream.completed', data: { patch_ids: [], insights: 0, rejected: 0 } };
  test('with a stream of the log itself is refused', async () => {
    await expect(importSessions(openMemoryLog(), { file: crafted('log/x', [said]), format: 'dreamfold' })).rejects.toMatchObject({
      code: 'invalid_import',
      path: 'crafted.jsonl:2',
    });
  });

  // An append takes them too. Whoever folds a stream ignores what makes no sense there.
  test.each([
    ['a session without its beginning', 'session/sesn_x', [said]],
    ['a dream without its beginning', 'dream/drm_x', [completed]],
    ['an event of a dream in a session', 'session/sesn_x', [created, completed]],
    ['a session that begins twice', 'session/sesn_x', [created, created]],
    ['keys of prototypes', 'session/sesn_x', [created, { type: 'zzz', data: '{"constructor":1,"__proto__":2}' }]],
  ])('with %s is taken', async (_, stream, events) => {
    const log = openMemoryLog();
    expect(await importSessions(log, { file: crafted(stream, events), format: 'dreamfold' })).toMatchObject({ events: events.length });
    expect((await log.archive.verify()).problems).toEqual([]);
    if (stream.startsWith('session/')) expect(await loadSession(log, 'sesn_x')).toMatchObject({ seq: events.length });
  });

  test('with types and versions that are newer than this code is taken', async () => {
    const events = [created, { type: 'zzz', data: { a: 1 } }, { type: 'user.message', v: 99, data: { b: 2 } }];
    const log = openMemoryLog();
    expect(await importSessions(log, { file: crafted('session/sesn_x', events), format: 'dreamfold' })).toMatchObject({ events: 3 });
  });
});

describe('lines of a file', () => {
  test('end at line feeds alone, and characters may lie across the chunks that are read', async () => {
    const line = `é\u2028${'x'.repeat(65_534)}é`;
    const file = write('lines.txt', `${line}\r\n\n${line}`);
    const lines = [];
    for await (const { line: read } of readLines(file)) lines.push(read);
    expect(lines).toEqual([line, '', line]);
  });

  test('are of a length that fits in memory', async () => {
    const file = write('line.jsonl', `{"messages": "${'x'.repeat(17 * 1024 * 1024)}`);
    await expect(importSessions(openMemoryLog(), { file, format: 'messages' })).rejects.toMatchObject({
      code: 'payload_too_large',
      path: file,
    });
  });

  test.each(['messages', 'tau-bench', 'dreamfold'] as const)(
    'are not read to their end where they do not begin as %s does',
    async (format) => {
      const file = write('film.mp4', `\0\0\0 ftypisom${'x'.repeat(1000)}`);
      await expect(importSessions(openMemoryLog(), { file, format })).rejects.toMatchObject({
        code: 'invalid_json',
        message: expect.stringContaining('it begins with') as string,
        path: `${file}:1`,
      });
    },
  );

  test('that end in the middle of a character are not UTF-8', async () => {
    const file = write('half.txt', new Uint8Array([0x61, 0xc3]));
    await expect(readText(file)).rejects.toMatchObject({ code: 'invalid_text', path: file });
  });
});
