import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashInput, isDreamfoldError, text, type StoredEvent } from '@dreamfold/events';
import { LOG_STREAM, openMemoryLog, type Log } from '@dreamfold/log';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../digest.ts';
import { exportStreams } from './export-streams.ts';
import type { ImportReport } from './import-report.ts';
import { importSessions } from './import-sessions.ts';
import { loadSession } from '../session/load-session.ts';
import { recordedRow } from '../testing/recorded-rows.ts';

const directory = mkdtempSync(join(tmpdir(), 'dreamfold-restore-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
function write(lines: readonly string[]): string {
  const path = join(directory, `${(files += 1)}.jsonl`);
  writeFileSync(path, lines.join('\n'));
  return path;
}

async function linesOf(log: Log): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of exportStreams(log)) lines.push(line.trimEnd());
  return lines;
}

async function headsOf(log: Log): Promise<Map<string, unknown>> {
  const heads = new Map<string, unknown>();
  for await (const batch of log.streams()) for (const { stream, head } of batch) if (stream !== LOG_STREAM) heads.set(stream, head);
  return heads;
}

/** An export of eight sessions, the last one with a blob. */
let good: string[] = [];
let heads = new Map<string, unknown>();
beforeAll(async () => {
  const log = openMemoryLog();
  await importSessions(log, { file: write(Array.from({ length: 8 }, (_, i) => JSON.stringify(recordedRow(i)))), format: 'messages' });
  const [stream] = [...(await headsOf(log)).keys()].slice(-1);
  const df_blob = await log.blobs.put(new TextEncoder().encode('the whole output'));
  const { seq, epoch } = await log.head(stream!);
  const data = { tool_use_id: 'x', content: [{ ...text('cut')[0], df_blob }] };
  await log.append({
    stream: stream!,
    id: 'b',
    expected: seq,
    epoch,
    events: [{ type: 'agent.tool_result', data, class: 'owner', actor: 'system' }],
  });
  [good, heads] = [await linesOf(log), await headsOf(log)];
});

/** The place of the event with some text, and the event. */
function eventWith(part: string): { row: number; event: StoredEvent } {
  const row = good.findIndex((line) => line.includes(part)) + 1;
  return { row, event: JSON.parse(good[row - 1]!) as StoredEvent };
}

const changed = (row: number, change: (line: string) => string): string[] => good.with(row - 1, change(good[row - 1]!));

async function restored(lines: readonly string[]): Promise<{ log: Log; report: ImportReport; file: string }> {
  const log = openMemoryLog();
  const file = write(lines);
  const report = await importSessions(log, { file, format: 'dreamfold', skipBad: true });
  return { log, report, file };
}

async function expectUntouched(log: Log, but: readonly string[]): Promise<void> {
  const here = await headsOf(log);
  for (const [stream, head] of heads) if (!but.includes(stream)) expect(here.get(stream)).toEqual(head);
  const { problems } = await log.archive.verify();
  // A blob that was bad in the file is here no more than a stream that was.
  expect(problems.filter(({ problem }) => !problem.startsWith('it names a blob'))).toEqual([]);
}

describe('importing an export with skipBad', () => {
  test('of which nothing is bad is importing it', async () => {
    const { log, report } = await restored(good);
    expect(report).toMatchObject({ sessions: 8, added: 8, damage: { missing: [], ended: [], lines: [] } });
    await expectUntouched(log, []);
    expect(await log.archive.verify()).not.toHaveProperty('missing');
    expect(await log.head(LOG_STREAM)).toMatchObject({ seq: 1 });
  });

  test('restores an event whose payload was changed without it, and verify says why', async () => {
    const { row, event } = eventWith('Task 3');
    const { log, report, file } = await restored(changed(row, (line) => line.replace('Task 3', 'Task 4')));
    const { stream, seq } = event;
    expect(report).toMatchObject({ sessions: 8, added: 8, passed: 4, failed: 4 });
    expect(report.damage).toEqual({
      missing: [
        { stream, seq, row, code: 'hash_mismatch', reason: expect.stringContaining(`${stream}#${seq} is not what was written`) as string },
      ],
      ended: [],
      lines: [],
    });
    await expectUntouched(log, []);
    for await (const batch of log.archive.readStored(stream, { from: seq, to: seq })) expect(batch).toEqual([{ ...event, data: null }]);
    const missing = [{ stream, seq, reason: 'it was not what its hash says' }];
    expect(await log.archive.verify()).toMatchObject({ erased: 1, missing });
    await loadSession(log, stream.slice('session/'.length));

    const again = await importSessions(log, { file, format: 'dreamfold', skipBad: true });
    expect(again).toMatchObject({ added: 0, events: 0, damage: { missing: [] } });
    expect(await log.archive.verify()).toMatchObject({ missing });
    // What is whole in a later file is not put back: the event is here.
    await importSessions(log, { file: write(good), format: 'dreamfold' });
    expect(await log.archive.verify()).toMatchObject({ erased: 1, missing });
    await importSessions(openMemoryLog(), { file: write(await linesOf(log)), format: 'dreamfold' });
  });

  test('restores an event without a payload that no append would have taken, though its hash is right', async () => {
    const { row, event } = eventWith('Answer 7');
    const data = JSON.stringify({ content: 'no blocks' });
    // The last event of its stream, so that nothing chains to it.
    const last = good.findLastIndex((line) => line.startsWith(`{"stream":"${event.stream}"`)) + 1;
    const end = JSON.parse(good[last - 1]!) as StoredEvent;
    const forged: StoredEvent = { ...end, type: 'agent.message', data, dataHash: sha256(data) };
    forged.hash = sha256(hashInput(forged));
    const { log, report } = await restored(changed(last, () => JSON.stringify(forged)));
    expect(row).toBeLessThan(last);
    expect(report.damage).toMatchObject({ missing: [{ stream: event.stream, seq: end.seq, row: last, code: 'invalid_event' }], ended: [] });
    expect((await log.archive.verify()).missing).toEqual([
      { stream: event.stream, seq: end.seq, reason: 'it had not the fields of its type' },
    ]);
  });

  test.each([
    ['an envelope that was changed', (line: string) => line.replace('"actor":"', '"actor":"x'), 'hash_mismatch'],
    ['a line that is no JSON', (line: string) => line.slice(0, 50), 'invalid_import'],
    ['an envelope of another shape', (line: string) => line.replace('"writer":"', '"writer":"\\u0000'), 'invalid_import'],
  ])('ends a stream before the append with %s', async (what, change, code) => {
    const { row, event } = eventWith('Answer 5');
    const { stream } = event;
    const { log, report } = await restored(changed(row, change));
    const first = event.seq - event.append.i;
    expect(report.damage!.missing).toEqual([]);
    expect(report.damage!.ended).toMatchObject([{ stream, seq: first, code }]);
    const rest = (heads.get(stream) as { seq: number }).seq - first + 1;
    const isRead = what === 'an envelope that was changed';
    expect(report.damage!.ended[0]!.events).toBe(isRead ? rest : rest - 1);
    expect(report.damage!.lines.some((line) => line.row === row)).toBe(!isRead);
    expect(await log.head(stream)).toMatchObject({ seq: first - 1 });
    await expectUntouched(log, [stream]);
  });

  test('lets no changed line take the place of another stream', async () => {
    const { row, event } = eventWith('Answer 2');
    const [first, last] = [[...heads.keys()].at(0)!, [...heads.keys()].at(-1)!];
    for (const name of [first, last, 'session/sesn_none']) {
      const { log, report } = await restored(changed(row, (line) => line.replace(event.stream, name)));
      expect(report.damage).toMatchObject({ missing: [], ended: [{ stream: event.stream }] });
      expect(report.damage!.lines[0]).toMatchObject({ row, code: 'hash_mismatch' });
      await expectUntouched(log, [event.stream]);
    }
  });

  test('leaves out a stream whose beginning is gone', async () => {
    const row = good.findIndex((line) => line.includes('"seq":1,')) + 1;
    const { stream } = JSON.parse(good[row - 1]!) as StoredEvent;
    const { log, report } = await restored(changed(row, () => ''));
    expect(report).toMatchObject({ sessions: 7, added: 7, damage: { ended: [{ stream, seq: 1 }] } });
    expect(await log.head(stream)).toMatchObject({ seq: 0 });
    await expectUntouched(log, [stream]);
  });

  test('leaves out a blob that was changed, and tells of lines that are too many or too few', async () => {
    const row = good.findIndex((line) => line.startsWith('{"blob"')) + 1;
    const blob = await restored(changed(row, (line) => line.replace(/"base64":"\w{4}/, '"base64":"AAAA')));
    expect(blob.report.damage).toMatchObject({ missing: [], ended: [], lines: [{ row, code: 'hash_mismatch' }] });
    expect((await blob.log.archive.verify()).blobs).toBe(0);
    const [problem] = (await blob.log.archive.verify()).problems;
    expect(problem?.problem).toContain('it names a blob that is missing');

    const renamed = await restored(changed(1, (line) => line.replace(/"log_id":"\w+"/, '"log_id":"log_x"')));
    expect(renamed.report.damage!.lines).toMatchObject([{ row: good.length, code: 'hash_mismatch' }]);
    const headless = await restored(changed(1, (line) => line.slice(1)));
    expect(headless.report).toMatchObject({ sessions: 8, damage: { lines: [{ row: 1, code: 'invalid_json' }] } });
    await expectUntouched(headless.log, []);
    const cut = await restored(good.slice(0, -1));
    expect(cut.report.damage!.lines).toMatchObject([{ code: 'invalid_import', reason: expect.stringContaining('cut short') as string }]);
    await expectUntouched(cut.log, []);
    const mixed = await restored(good.toSpliced(-2, 0, good[1]!));
    expect(mixed.report.damage!.lines[0]).toMatchObject({ row: good.length - 1, code: 'invalid_import' });
    await expectUntouched(mixed.log, []);
  });

  test('refuses what is no export, and a stream that went another way here', async () => {
    await expect(restored(['{"messages":[]}', '{"messages":[]}'])).rejects.toMatchObject({
      code: 'invalid_import',
      path: expect.stringMatching(/\.jsonl:1$/) as string,
    });
    await expect(restored(changed(1, (line) => line.replace(/"dreamfold_export":\d+/, '"dreamfold_export":99')))).rejects.toMatchObject({
      code: 'unsupported_schema_version',
    });
    const log = openMemoryLog();
    const { stream } = eventWith('Task 3').event;
    await log.append({
      stream,
      id: 'other',
      expected: 0,
      events: [{ type: 'user.message', data: { content: [] }, class: 'open', actor: 'x' }],
    });
    const file = write(good);
    await expect(importSessions(log, { file, format: 'dreamfold', skipBad: true })).rejects.toMatchObject({ code: 'head_conflict' });
    expect(await log.cursor()).toEqual([2]);
  });

  test('restores all that was not touched, whatever bytes are changed', async () => {
    const whole = good.join('\n');
    const place = fc.nat({ max: whole.length - 1 });
    const edits = fc.array(fc.tuple(place, fc.constantFrom('x', '"', '\n', '', '{', '0', '\\', '\u0000')), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(edits, async (changes) => {
        let bytes = whole;
        const touched = new Set<string>();
        for (const [at, put] of changes.toSorted(([a], [b]) => b - a)) {
          bytes = bytes.slice(0, at) + put + bytes.slice(at + 1);
          // A line break that goes makes one line of two.
          for (const near of [at - 1, at, at + 1]) touched.add(streamAt(near));
        }
        const { log, report } = await restored(bytes.split('\n'));
        await expectUntouched(log, [...touched]);
        for (const { stream } of [...report.damage!.missing, ...report.damage!.ended]) expect([...touched]).toContain(stream);
        expect(Object.values(report.damage!).flat().length > 0 || bytes === whole).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

/** The stream whose line holds the character at this place of the good export. */
function streamAt(at: number): string {
  let end = 0;
  const line = good.find((one) => (end += one.length + 1) > at) ?? '';
  return /^\{"stream":"([^"]*)"/.exec(line)?.[1] ?? '';
}

test('without skipBad nothing is written, and the error names the way to the rest', async () => {
  const { row } = eventWith('Task 3');
  const log = openMemoryLog();
  const file = write(changed(row, (line) => line.replace('Task 3', 'Task 4')));
  const error: unknown = await importSessions(log, { file, format: 'dreamfold' }).catch((thrown: unknown) => thrown);
  expect(isDreamfoldError(error, 'hash_mismatch') && error.remedy).toMatch(/--skip-bad/);
  expect(await log.cursor()).toEqual([1]);
});
