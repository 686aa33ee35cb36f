import { checked, DreamfoldError, isDreamfoldError, withMethods, withRemedy } from '@dreamfold/events';
import type { ImportedAppend, ImportedSession } from '@dreamfold/core';
import type { Log } from '@dreamfold/log';
import { countOutcome, ImportRequestShape, newReport, type ImportReport, type ImportRequest } from './import-report.ts';
import { rowsOf, type ReadRows } from './import-rows.ts';
import { checkExport, writeExport } from './restore-export.ts';
import { needJsonStart } from '../text-file.ts';
import { UnteachingCalls } from '../dream/unteaching-calls.ts';

/** Sessions on their way to the log at a time; the log groups what arrives together. */
const CONCURRENCY = 16;
/** An import of junk must not fill the memory with remarks on it. */
const MAX_NOTES = 1000;

const AnyLog = withMethods<Log>('a log', 'append', 'head', 'read');

/** An import of which every row is good, or was left out. */
export interface CheckedImport {
  /** Sessions in the file. */
  sessions: number;
  /** Writes it. A file that changed meanwhile is read as it is then. */
  write(log: Log): Promise<ImportReport>;
}

/**
 * Reads a whole file of recorded sessions, and writes nothing.
 * @param log what it will be written to; null when there is no log yet
 * @throws DreamfoldError invalid_argument; not_found, invalid_import, invalid_json and the like, with `file:row` as path
 */
export async function checkImport(request: ImportRequest, log: Log | null): Promise<CheckedImport> {
  const { file, format, skipBad = false, trustPrincipals } = checked(ImportRequestShape, request, { what: 'import()' });
  checked(AnyLog.nullable(), log, { what: 'import()', name: 'log' });
  if (format === 'dreamfold' && trustPrincipals === true) throw saysItself(format);
  // Who wants what is whole of a damaged file wants it from its first line on.
  if (!skipBad) await needJsonStart(file);
  const report = newReport(request);
  if (format === 'dreamfold') {
    const whole = await checkExport({ request, report, log });
    return { sessions: report.sessions, write: (target) => writeExport(target, { request, report, checked: whole }) };
  }
  const rows = await rowsOf(request);
  const seen = new Set<string>();
  const unteaching = new UnteachingCalls();
  for await (const read of rows('check')) {
    if ('error' in read) {
      if (!skipBad) throw withWayOut(read.error);
      skip(report, read.row, read.error);
      continue;
    }
    // The same run twice in one file is one session.
    if (seen.has(read.value.sessionId)) continue;
    seen.add(read.value.sessionId);
    countIn(report, read.value);
    unteaching.add(read.value);
  }
  if (report.sessions === 0) throw noSessions(report);
  report.hints.push(...unteaching.hints());
  return { sessions: report.sessions, write: (target) => writeSessions(target, { request, report, rows }) };
}

function saysItself(format: string): DreamfoldError {
  return new DreamfoldError('invalid_argument', 'An export says itself of each session whether its principal was authenticated', {
    path: 'trustPrincipals',
    value: format,
    remedy: 'Leave --trust-principals (trustPrincipals) out.',
  });
}

function skip(report: ImportReport, row: number, { code, message, path }: DreamfoldError): void {
  report.skipped += 1;
  if (report.bad.length >= MAX_NOTES) return;
  const at = path ?? `${report.file}:${row}`;
  report.bad.push({ row, path: at, code, reason: message.startsWith(`${at}: `) ? message.slice(at.length + 2) : message });
}

/** The error of a row, and that it need not refuse the others. */
function withWayOut(error: DreamfoldError): DreamfoldError {
  return withRemedy(error, `${error.remedy} Or leave bad rows out: --skip-bad (skipBad: true).`);
}

function noSessions({ file, skipped, bad }: ImportReport): DreamfoldError {
  const [first] = bad;
  if (first === undefined) {
    return new DreamfoldError('invalid_import', `${file} holds no sessions`, {
      path: file,
      remedy: 'Give a file with at least one row; `dreamfold import --help` shows one.',
    });
  }
  return new DreamfoldError(
    'invalid_import',
    `${file} holds no good row: all ${skipped} are bad, the first because ${first.path}: ${first.reason}`,
    {
      path: first.path,
      value: skipped,
      remedy: 'Correct the rows; `dreamfold import --help` shows one.',
    },
  );
}

/**
 * Adds recorded sessions to a log. The whole file is checked first: when any row is bad, nothing is written, unless bad rows are to be left out.
 * Importing a file again adds nothing; an import that was cut short is completed.
 * @throws DreamfoldError as checkImport, and those of the log
 */
export async function importSessions(log: Log, request: ImportRequest): Promise<ImportReport> {
  return (await checkImport(request, log)).write(log);
}

async function writeSessions(
  log: Log,
  { request, report, rows }: { request: ImportRequest; report: ImportReport; rows: ReadRows },
): Promise<ImportReport> {
  let done = 0;
  const running = new Set<Promise<void>>();
  let failure: unknown;
  for await (const read of rows('write')) {
    if ('error' in read) {
      if (request.skipBad === true) continue;
      failure ??= withWayOut(read.error);
      break;
    }
    const session = read.value;
    const task = writeSession(log, session)
      .then((added) => {
        done += 1;
        report.events += added;
        if (added >= session.eventCount) report.added += 1;
        request.onProgress?.('write', done, Math.max(done, report.sessions));
      })
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => running.delete(task));
    running.add(task);
    if (running.size >= CONCURRENCY) await Promise.race(running);
    if (failure !== undefined) break;
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure as Error;
  return report;
}

function countIn(report: ImportReport, session: ImportedSession): void {
  report.sessions += 1;
  let score: number | null = null;
  for (const { events } of session.appends) {
    for (const { type, data } of events) {
      if (type === 'agent.tool_use') report.toolCalls += 1;
      if (type === 'outcome.imported') score = (data as { score: number }).score;
    }
  }
  countOutcome(report, score);
  report.notes.push(...session.notes.slice(0, MAX_NOTES - report.notes.length));
}

/** @returns how many events were added */
async function writeSession(log: Log, session: ImportedSession): Promise<number> {
  let added = 0;
  const { seq } = await log.head(session.stream);
  if (seq < session.eventCount) for (const bytes of session.blobs) await log.blobs.put(bytes);
  for (const append of session.appends) {
    if (append.expected !== 'any' && append.expected + append.events.length <= seq) continue;
    added += await writeAppend(log, session.stream, append);
  }
  return added;
}

async function writeAppend(log: Log, stream: string, append: ImportedAppend): Promise<number> {
  const { step: _step, ...request } = append;
  try {
    const { duplicate, events } = await log.append({ stream, ...request });
    return duplicate ? 0 : events.length;
  } catch (error) {
    // The same import, at the same time or from a file of another name, was faster: its append has the same id.
    if (isDreamfoldError(error, 'idempotency_conflict')) return 0;
    throw error;
  }
}
