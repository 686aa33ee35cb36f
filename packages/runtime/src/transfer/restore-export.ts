import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { DreamfoldError, isDreamfoldError, withRemedy, type ErrorCode, type StoredEvent } from '@dreamfold/events';
import { ExportReader, type ExportBlob, type ExportEnd, type ExportLine } from '@dreamfold/core';
import type { Log, MissingPayload } from '@dreamfold/log';
import { StreamChecks } from './export-checks.ts';
import { ExportSkips, recordSkipped } from './export-skips.ts';
import type { ImportReport, ImportRequest } from './import-report.ts';
import { fileSizeBytes, readLines } from '../text-file.ts';

/** Events that are restored in one transaction, or an append's when it is longer. */
const BATCH = 512;

/** An export that was read whole. */
export interface CheckedExport {
  /** Number of events to restore. */
  events: number;
  /** What is to be left out; null when all of it is good, or has to be. */
  skips: ExportSkips | null;
}

interface Checking {
  request: ImportRequest;
  report: ImportReport;
  log: Log | null;
}

/**
 * Reads a whole export by the rule of acceptance and beside the log, and writes nothing.
 * @param options.request.skipBad notes what is bad in `report.damage`, instead of ending there
 * @throws DreamfoldError hash_mismatch, head_conflict, and those of ExportReader and parsePayloadText
 */
export async function checkExport(checking: Checking): Promise<CheckedExport> {
  if (checking.request.skipBad !== true) {
    try {
      return { events: await readThrough(checking, null), skips: null };
    } catch (error) {
      throw isDreamfoldError(error) && OF_THE_FILE.has(error.code) ? withSkipBad(error) : error;
    }
  }
  const skips = new ExportSkips();
  const events = await readThrough(checking, skips);
  checking.report.damage = skips.damage;
  return { events, skips };
}

/** What another file, or a part of this one, may be free of. */
const OF_THE_FILE: ReadonlySet<ErrorCode> = new Set([
  'hash_mismatch',
  'invalid_import',
  'invalid_json',
  'invalid_event',
  'invalid_text',
  'payload_too_large',
  'json_too_deep',
  'json_too_many_keys',
  'forbidden_key',
]);

function withSkipBad(error: DreamfoldError): DreamfoldError {
  return withRemedy(error, `${error.remedy} Or import it with --skip-bad: all that is whole is restored, and what is not is listed.`);
}

async function readThrough({ request, report, log }: Checking, skips: ExportSkips | null): Promise<number> {
  const { file, onProgress } = request;
  const total = await fileSizeBytes(file);
  const source = basename(file);
  const reader = new ExportReader(source);
  const streams = new StreamChecks({ log, source, report, skips });
  const digest = createHash('sha256');
  let row = 0;
  let events = 0;
  const note = (error: unknown): null => {
    if (skips === null || !isDreamfoldError(error) || !OF_THE_FILE.has(error.code)) throw error;
    skips.line(row, error);
    if (row === 1) reader.goOn();
    return null;
  };
  const inRow = <T>(run: () => T): T | null => {
    try {
      return run();
    } catch (error) {
      return note(error);
    }
  };
  for await (const { line, bytesRead } of readLines(file)) {
    row += 1;
    const read = inRow(() => reader.read(line));
    if (read?.kind === 'event') {
      events += 1;
      await streams.add(read.event, row).catch(note);
    } else if (read?.kind === 'blob') inRow(() => checkBlob(read, `${source}:${row}`));
    if (read?.kind === 'end') {
      await streams.end();
      // What is known to be bad explains another digest.
      if (skips?.isNothing !== false) inRow(() => checkDigest(read, digest.copy().digest('hex'), `${source}:${row}`));
    }
    digest.update(`${line}\n`);
    onProgress?.('check', bytesRead, total);
  }
  row += 1;
  inRow(() => reader.finish());
  await streams.end();
  // Without a header, and without an event, it is another kind of file.
  if (skips?.isSkipped(1) === true && !streams.hasAny) throw noExport(skips, `${source}:1`);
  return events;
}

/** Adds what `exportStreams` wrote, byte for byte: heads and hashes are those of the log that it came from. */
export async function writeExport(
  log: Log,
  { request, report, checked: { events, skips } }: { request: ImportRequest; report: ImportReport; checked: CheckedExport },
): Promise<ImportReport> {
  let here = 0;
  let done = 0;
  let batch: StoredEvent[] = [];
  const missing: MissingPayload[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length > 0) report.events += (await log.archive.restore(batch)).added;
    done += batch.length;
    batch = [];
    request.onProgress?.('write', done, events);
  };
  for await (const read of goodLines(request.file, skips)) {
    if (read.kind === 'missing') missing.push({ stream: read.missing, seq: read.seq, reason: read.reason });
    if (read.kind === 'blob') await log.blobs.put(Buffer.from(read.base64, 'base64'));
    if (read.kind !== 'event') continue;
    const { event } = read;
    if (event.seq === 1 && event.stream.startsWith('session/') && (await log.head(event.stream)).seq > 0) here += 1;
    batch.push(event);
    if (batch.length >= BATCH && event.append.i === event.append.n - 1) await flush();
  }
  await flush();
  await skips?.record(log, basename(request.file));
  await recordSkipped(log, { source: basename(request.file), missing: await stillMissing(log, missing), ended: [] });
  report.added = report.sessions - here;
  return report;
}

/** Those that are missing here too: an event that was here before has its payload. */
async function stillMissing(log: Log, missing: readonly MissingPayload[]): Promise<MissingPayload[]> {
  const still: MissingPayload[] = [];
  for (const one of missing) {
    const range = { from: one.seq, to: one.seq };
    for await (const batch of log.archive.readStored(one.stream, range)) if (batch[0]?.data === null) still.push(one);
  }
  return still;
}

async function* goodLines(file: string, skips: ExportSkips | null): AsyncGenerator<ExportLine> {
  const reader = new ExportReader(basename(file));
  let row = 0;
  for await (const { line } of readLines(file)) {
    row += 1;
    let read: ExportLine;
    try {
      read = reader.read(line);
    } catch (error) {
      if (skips === null) throw error;
      if (row === 1) reader.goOn();
      continue;
    }
    if (skips?.isSkipped(row) === true) continue;
    const kept = read.kind === 'event' && skips !== null ? skips.restored(read.event, row) : undefined;
    if (kept === undefined) yield read;
    else if (kept !== null) yield { kind: 'event', event: kept };
  }
}

function noExport(skips: ExportSkips, path: string): DreamfoldError {
  const { code, reason } = skips.damage.lines[0]!;
  return new DreamfoldError(code, reason, {
    path,
    remedy: 'Give a file that `dreamfold export` wrote, or name the format of this one with --format.',
  });
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
