import type { StoredEvent } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { ExportReader, encodeExportLine, type ExportLine } from './export-format.ts';

const event = (seq: number, stream = 'session/sesn_1'): StoredEvent => ({
  stream,
  seq,
  id: `sevt_${seq}`,
  time: 1,
  prev: '0',
  hash: 'h',
  type: 'user.message',
  v: 1,
  class: 'open',
  epoch: 0,
  append: { id: `sevt_${seq}`, i: 0, n: 1 },
  writer: 'w_1',
  causation: null,
  correlation: null,
  actor: 'user',
  dataHash: 'd',
  // Stored bytes are kept as they are, whatever a re-serialisation would make of them.
  data: '{ "content":[],"n":1.0}',
});

const header: ExportLine = { kind: 'header', dreamfold_export: 3, log_id: 'log_1', streams: 2, events: 3 };
const end: ExportLine = { kind: 'end', dreamfold_export_end: true, blobs: 1, sha256: 'ab'.repeat(32) };
const lines: ExportLine[] = [
  header,
  { kind: 'event', event: event(1) },
  { kind: 'event', event: { ...event(2), data: null, type: 'of.the.future', v: 9 } },
  { kind: 'event', event: event(1, 'memory/memstore_1') },
  { kind: 'blob', blob: 'abc', base64: 'AAEC' },
  end,
];

function readAll(texts: readonly string[]): ExportLine[] {
  const reader = new ExportReader('log.jsonl');
  const read = texts.map((text) => reader.read(text));
  reader.finish();
  return read;
}

const encoded = lines.map(encodeExportLine);

it('gives back what was written, byte for byte', () => {
  expect(readAll(encoded)).toEqual(lines);
  expect(encoded.every((line) => !line.includes('\n'))).toBe(true);
});

it('gives back why a payload was missing before', () => {
  const missing: ExportLine = { kind: 'missing', missing: 'session/sesn_1', seq: 2, reason: 'it was no JSON' };
  expect(readAll(lines.toSpliced(4, 0, missing).map(encodeExportLine))[4]).toEqual(missing);
});

describe('a damaged export is refused by name, with its place', () => {
  const replaced = (row: number, line: string): string[] => encoded.with(row - 1, line);
  const changed = (row: number, change: object): string[] =>
    replaced(row, JSON.stringify({ ...(JSON.parse(encoded[row - 1]!) as object), ...change }));

  it.each<[string, string[], string, string]>([
    ['no line', [], 'invalid_import', 'log.jsonl:1'],
    ['no header', encoded.slice(1), 'invalid_import', 'log.jsonl:1'],
    ['a newer version', changed(1, { dreamfold_export: 4 }), 'unsupported_schema_version', 'log.jsonl:1'],
    ['a header without counts', replaced(1, '{"dreamfold_export":1}'), 'invalid_import', 'log.jsonl:1/log_id'],
    ['a line that is not JSON', replaced(3, encoded[2]!.slice(0, 40)), 'invalid_json', 'log.jsonl:3'],
    ['a line that is null', replaced(3, 'null'), 'invalid_import', 'log.jsonl:3'],
    ['an event without a hash', changed(2, { hash: undefined }), 'invalid_import', 'log.jsonl:2/hash'],
    ['an event with a field too many', changed(2, { extra: 1 }), 'invalid_import', 'log.jsonl:2'],
    ['data that is no text', changed(2, { data: {} }), 'invalid_import', 'log.jsonl:2/data'],
    ['a blob that is not base64', changed(5, { base64: '*' }), 'invalid_import', 'log.jsonl:5/base64'],
    ['a missing event', encoded.toSpliced(1, 1), 'invalid_import', 'log.jsonl:5'],
    ['a stream too few', changed(4, { stream: 'session/sesn_1' }), 'invalid_import', 'log.jsonl:6'],
    ['a missing blob', encoded.toSpliced(4, 1), 'invalid_import', 'log.jsonl:5'],
    ['its end without a digest', changed(6, { sha256: undefined }), 'invalid_import', 'log.jsonl:6'],
    ['its end missing', encoded.slice(0, -1), 'invalid_import', 'log.jsonl:6'],
    ['another export after it', [...encoded, ...encoded], 'invalid_import', 'log.jsonl:7'],
  ])('%s', (_, texts, ...[code, path]) => {
    expect(() => readAll(texts)).toThrow(expect.objectContaining({ code, path }));
  });
});
