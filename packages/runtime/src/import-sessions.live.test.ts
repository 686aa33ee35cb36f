import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { streamOf, text } from '@dreamfold/events';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { afterAll, describe, expect, test } from 'vitest';
import { exportStreams } from './export-streams.ts';
import { checkImport, importSessions } from './import-sessions.ts';
import { loadSession } from './load-session.ts';
import { readLines, readText } from './text-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'dreamfold-import-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const row = (n: number): string =>
  JSON.stringify({
    id: n,
    outcome: n % 2,
    messages: [
      { role: 'user', content: `Task ${n}` },
      { role: 'assistant', content: `Answer ${n}` },
    ],
  });
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
    expect(await log.position()).toBe(await whole.position());
    expect(report.events).toBeLessThan(events);
    expect((await log.verify()).problems).toEqual([]);
  });

  test('twice at the same time counts once', async () => {
    const log = openMemoryLog();
    const reports = await Promise.all([1, 2].map(() => importSessions(log, { file: runs, format: 'messages' })));
    expect((await headsOf(log)).length).toBe(40);
    expect(reports[0]!.events + reports[1]!.events).toBe((await log.position()) - 1);
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
    const blob = await log.putBlob(new TextEncoder().encode('the whole output'));
    await log.append({
      stream: first!.stream,
      id: 'sevt_blob',
      expected: first!.head.seq,
      epoch: 1,
      events: [
        { type: 'agent.tool_result', class: 'owner', actor: 'system', data: { tool_use_id: 'x', content: text('cut'), df_blob: blob } },
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
    expect(new TextDecoder().decode((await copy.getBlob(sha256)) ?? undefined)).toBe('the whole output');
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
    ['a line after the end', (lines: string[]) => [...lines.slice(0, -1), lines[1]!], 'invalid_import'],
  ])('with %s is refused, and nothing of it is written', async (_, change, code) => {
    const { log } = await withBlob();
    const lines = (await readText(await exportTo('good.jsonl', log))).split('\n');
    const copy = openMemoryLog();
    await expect(importSessions(copy, { file: write('bad.jsonl', change(lines).join('\n')), format: 'dreamfold' })).rejects.toMatchObject({
      code,
    });
    expect(await copy.position()).toBe(1);
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

  test('that end in the middle of a character are not UTF-8', async () => {
    const file = write('half.txt', new Uint8Array([0x61, 0xc3]));
    await expect(readText(file)).rejects.toMatchObject({ code: 'invalid_text', path: file });
  });
});
