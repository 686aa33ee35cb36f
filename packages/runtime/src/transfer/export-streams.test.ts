import { newEvent, streamOf, type StoredEvent } from '@dreamfold/events';
import { LOG_STREAM, openMemoryLog, type Log } from '@dreamfold/log';
import { expect, it } from 'vitest';
import { exportStreams, type ExportAbsence, type ExportRequest } from './export-streams.ts';

const S = streamOf('session', 'sesn_1');
const text = (of: string) => newEvent('user.message', 'user', { content: [{ type: 'text' as const, text: of }] });

/** Two messages, of which the first has lost its payload. */
async function damaged(): Promise<Log> {
  const whole = openMemoryLog();
  await whole.append({ stream: S, id: 'a', expected: 0, events: [text('lost'), text('kept')] });
  const stored: StoredEvent[] = [];
  for await (const batch of whole.archive.readStored(S)) stored.push(...batch);
  const log = openMemoryLog();
  await log.archive.restore(stored.map((event, i) => (i === 0 ? { ...event, data: null } : event)));
  return log;
}

async function linesOf(log: Log, request: ExportRequest = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of exportStreams(log, request)) lines.push(line);
  return lines;
}

it('is refused where a payload is missing, unless that is allowed or the log says why', async () => {
  const log = await damaged();
  await expect(linesOf(log)).rejects.toMatchObject({ code: 'payload_missing', path: `${S}#1` });
  const missing: ExportAbsence[] = [];
  const lines = await linesOf(log, { allowMissing: true, onMissing: (absent) => missing.push(absent) });
  expect(missing).toEqual([{ stream: S, seq: 1 }]);
  expect(lines).toHaveLength(4);

  const data = { source: 'log.jsonl', missing: [{ stream: S, seq: 1, reason: 'it was bad' }], ended: [] };
  await log.append({ stream: LOG_STREAM, id: 'skipped', expected: 'any', events: [newEvent('log.import_skipped', 'system', data)] });
  expect(await linesOf(log)).toContain(`{"missing":"${S}","seq":1,"reason":"it was bad"}\n`);
});

it('is refused where nobody has a blob that an event names', async () => {
  const log = openMemoryLog();
  const sha256 = 'ab'.repeat(32);
  const source = { type: 'blob' as const, df_of: 'base64' as const, media_type: 'image/png' as const, sha256, size_bytes: 3 };
  await log.append({
    stream: S,
    id: 'a',
    expected: 0,
    events: [newEvent('user.message', 'user', { content: [{ type: 'image', source }] })],
  });
  await expect(linesOf(log)).rejects.toMatchObject({ code: 'payload_missing', value: sha256 });
  const missing: ExportAbsence[] = [];
  await linesOf(log, { allowMissing: true, onMissing: (absent) => missing.push(absent) });
  expect(missing).toEqual([{ stream: S, seq: 1, blob: sha256 }]);
});

it('passes over what was erased', async () => {
  const log = await damaged();
  await log.append({
    stream: S,
    id: 'late',
    expected: 'any',
    events: [newEvent('log.erased', 'system', { events: ['a'], reason: 'asked for' })],
  });
  expect(await linesOf(log)).toHaveLength(5);
});
