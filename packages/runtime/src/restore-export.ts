import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import {
  checkPayload,
  DreamfoldError,
  EVENT_VERSION,
  isEventType,
  streamKindOf,
  type EventType,
  type StoredEvent,
} from '@dreamfold/events';
import { ExportReader, type ExportBlob, type ExportEnd } from '@dreamfold/core';
import { EMPTY_HEAD, foldRecord, parsePayloadText, type Log } from '@dreamfold/log';
import { sha256 } from './digest.ts';
import { countOutcome, type ImportReport, type ImportRequest } from './import-report.ts';
import { fileSizeBytes, readLines } from './text-file.ts';

/** Events that are restored in one transaction, or an append's when it is longer. */
const BATCH = 512;

/**
 * Reads a whole export by the rule of acceptance and beside the log, and writes nothing.
 * @returns the number of events
 * @throws DreamfoldError hash_mismatch, head_conflict, and those of ExportReader
 */
export async function checkExport({
  request,
  report,
  log,
}: {
  request: ImportRequest;
  report: ImportReport;
  log: Log | null;
}): Promise<number> {
  const { file, onProgress } = request;
  const total = await fileSizeBytes(file);
  const source = basename(file);
  const reader = new ExportReader(source);
  const streams = new StreamChecks(log, source, report);
  const digest = createHash('sha256');
  let row = 0;
  let events = 0;
  for await (const { line, bytesRead } of readLines(file)) {
    row += 1;
    const read = reader.read(line);
    if (read.kind === 'event') {
      events += 1;
      await streams.add(read.event, row);
    } else if (read.kind === 'blob') checkBlob(read, `${source}:${row}`);
    if (read.kind === 'end') checkDigest(read, digest.digest('hex'), `${source}:${row}`);
    else digest.update(`${line}\n`);
    onProgress?.('check', bytesRead, total);
  }
  reader.finish();
  await streams.end();
  return events;
}

/** Adds what `exportStreams` wrote, byte for byte: heads and hashes are those of the log that it came from. */
export async function writeExport(
  log: Log,
  { request, report, events }: { request: ImportRequest; report: ImportReport; events: number },
): Promise<ImportReport> {
  let here = 0;
  let done = 0;
  let batch: StoredEvent[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length > 0) report.events += (await log.restore(batch)).added;
    done += batch.length;
    batch = [];
    request.onProgress?.('write', done, events);
  };
  const reader = new ExportReader(basename(request.file));
  for await (const { line } of readLines(request.file)) {
    const read = reader.read(line);
    if (read.kind === 'blob') await log.putBlob(Buffer.from(read.base64, 'base64'));
    if (read.kind !== 'event') continue;
    const { event } = read;
    if (event.seq === 1 && event.stream.startsWith('session/') && (await log.head(event.stream)).seq > 0) here += 1;
    batch.push(event);
    if (batch.length >= BATCH && event.append.i === event.append.n - 1) await flush();
  }
  await flush();
  report.added = report.sessions - here;
  return report;
}

/** Events and blobs have hashes of their own; this one is for the header, which has none. */
function checkDigest({ sha256 }: ExportEnd, found: string, path: string): void {
  if (sha256 === undefined || sha256 === found) return;
  throw new DreamfoldError('hash_mismatch', `${path}: the lines are not those that were exported`, {
    path,
    value: sha256,
    remedy: 'Copy or export the file again.',
  });
}

function checkBlob({ blob, base64 }: ExportBlob, path: string): void {
  const found = createHash('sha256').update(Buffer.from(base64, 'base64')).digest('hex');
  if (found === blob) return;
  throw new DreamfoldError('hash_mismatch', `${path}: the blob has other bytes than its name says`, {
    path,
    value: blob,
    remedy: 'Export again.',
  });
}

/** A chain can be whole and its payloads nonsense: anyone can hash. What this code knows the shape of has that shape. */
function checkStoredPayload({ type, v, data }: StoredEvent, at: string): void {
  if (data === null) return;
  const payload = parsePayloadText(data, at);
  if (!isEventType(type) || v !== EVENT_VERSION[type]) return;
  try {
    checkPayload(type, v, payload);
  } catch (cause) {
    throw new DreamfoldError('invalid_event', `${at}: ${(cause as Error).message}`, {
      path: at,
      value: type,
      remedy: 'Export it again from the log that it came from; this file was not written by an export.',
      cause,
    });
  }
}

const OPENING: Readonly<Record<string, EventType>> = { session: 'session.created', memory: 'memory.store_created', dream: 'dream.started' };

/** Readers rely on how a stream begins, and on the kind of what stands in it. Types that are newer than this code may stand anywhere. */
function checkPlace({ stream, seq, type }: StoredEvent, at: string): void {
  const kind = stream.slice(0, stream.indexOf('/'));
  const opening = OPENING[kind];
  const misplaced = isEventType(type) && streamKindOf(type) !== kind;
  if (opening !== undefined && !misplaced && (seq === 1) === (type === opening)) return;
  throw new DreamfoldError(
    'invalid_import',
    opening !== undefined && seq === 1
      ? `${at}: ${stream} begins with ${type}, not with ${opening}`
      : `${at}: ${type} has no place in ${stream}${type === opening ? `#${seq}: it began before` : ''}`,
    { path: at, value: type, remedy: 'Export it again from the log that it came from; this file was not written by an export.' },
  );
}

/** Judges the events of an export one stream after the other, as the log will, without writing. */
class StreamChecks {
  readonly #log: Log | null;
  readonly #source: string;
  readonly #report: ImportReport;
  readonly #done = new Set<string>();
  #stream = '';
  #head = EMPTY_HEAD;
  #here = EMPTY_HEAD;
  #pending: readonly StoredEvent[] = [];
  #appends = new Map<string, number>();
  #score: number | null = null;

  constructor(log: Log | null, source: string, report: ImportReport) {
    this.#log = log;
    this.#source = source;
    this.#report = report;
  }

  async add(event: StoredEvent, row: number): Promise<void> {
    const at = `${this.#source}:${row}`;
    if (event.stream !== this.#stream) await this.#begin(event.stream, at);
    const counted = { head: () => this.#head, appendSize: (_: string, id: string) => this.#appends.get(id) ?? 0 };
    const { pending, judged } = foldRecord(this.#pending, event, { counted, hash: sha256 });
    this.#pending = pending;
    // A broken event leaves the append before it torn; what is broken is what to tell.
    for (const { verdict } of judged.toReversed()) {
      if (!verdict.counted) throw broken(at, event, verdict.reason);
      this.#head = verdict.head;
    }
    if (pending.length === 0) this.#appends.set(event.append.id, event.append.n);
    if (event.seq === this.#here.seq && event.hash !== this.#here.hash) throw wentAnotherWay(at, event);
    checkPlace(event, at);
    checkStoredPayload(event, at);
    this.#count(event);
  }

  async end(): Promise<void> {
    if (this.#stream === '') return;
    if (this.#pending.length > 0) throw broken(this.#source, this.#pending[0]!, 'torn');
    if (this.#here.seq > this.#head.seq) await this.#checkOlder();
    if (this.#stream.startsWith('session/')) countOutcome(this.#report, this.#score);
  }

  async #begin(stream: string, at: string): Promise<void> {
    await this.end();
    if (this.#done.has(stream)) {
      throw new DreamfoldError('invalid_import', `${at}: ${stream} goes on after another stream`, {
        path: at,
        value: stream,
        remedy: 'Keep the lines in the order that `dreamfold export` wrote.',
      });
    }
    this.#done.add(stream);
    this.#stream = stream;
    this.#head = EMPTY_HEAD;
    this.#here = (await this.#log?.head(stream)) ?? EMPTY_HEAD;
    this.#appends = new Map();
    this.#score = null;
    if (stream.startsWith('session/')) this.#report.sessions += 1;
  }

  /** This log has more of the stream than the file: the file's end must stand in it. */
  async #checkOlder(): Promise<void> {
    const { seq, hash } = this.#head;
    for await (const batch of this.#log?.readStored(this.#stream, { from: seq, to: seq }) ?? []) {
      for (const event of batch) if (event.hash !== hash) throw wentAnotherWay(this.#source, event);
    }
  }

  #count({ type, data }: StoredEvent): void {
    if (type === 'agent.tool_use') this.#report.toolCalls += 1;
    if (data === null) return;
    if (type === 'outcome.imported') this.#score = (JSON.parse(data) as { score: number }).score;
    if (type === 'span.outcome_evaluation_end') this.#score = (JSON.parse(data) as { result: string }).result === 'satisfied' ? 1 : 0;
  }
}

function broken(at: string, event: StoredEvent, reason: string): DreamfoldError {
  const torn = reason === 'torn';
  return new DreamfoldError(
    torn ? 'invalid_import' : 'hash_mismatch',
    `${at}: ${event.stream}#${event.seq} ${torn ? 'is part of an append that is not complete' : 'is not what was written: envelope, payload and chain do not agree'}`,
    { path: at, value: `${event.stream}#${event.seq}`, remedy: 'Copy or export the file again.' },
  );
}

function wentAnotherWay(at: string, event: StoredEvent): DreamfoldError {
  return new DreamfoldError('head_conflict', `${at}: this log has another event at ${event.stream}#${event.seq}`, {
    path: at,
    value: `${event.stream}#${event.seq}`,
    remedy: 'Import into an empty data directory: the two copies of this stream went different ways.',
  });
}
