import { basename } from 'node:path';
import { DreamfoldError, isDreamfoldError } from '@dreamfold/events';
import { parseMessagesLine, parseTauBench, type ImportedAppend, type ImportedSession, type ImportOptions } from '@dreamfold/core';
import type { Log } from '@dreamfold/log';
import { sha256 } from './digest.ts';
import { countOutcome, type ImportReport, type ImportRequest } from './import-report.ts';
import { checkExport, writeExport } from './restore-export.ts';
import { fileSizeBytes, readLines, readText } from './text-file.ts';

/** Sessions on their way to the log at a time; the log groups what arrives together. */
const CONCURRENCY = 16;
/** A transcript is far shorter; what has no line breaks is no file of transcripts. */
const MAX_ROW_CHARS = 16 * 1024 * 1024;
/** An import of junk must not fill the memory with remarks on it. */
const MAX_NOTES = 1000;

/** An import of which every row is good. */
export interface CheckedImport {
  /** Sessions in the file. */
  sessions: number;
  /** Writes it. A file that changed meanwhile is read as it is then. */
  write(log: Log): Promise<ImportReport>;
}

/**
 * Reads a whole file of recorded sessions, and writes nothing.
 * @param log what it will be written to; null when there is no log yet
 * @throws DreamfoldError not_found, invalid_import, invalid_json and the like, with `file:row` as path
 */
export async function checkImport(request: ImportRequest, log: Log | null): Promise<CheckedImport> {
  const { file, format } = request;
  const report: ImportReport = {
    format,
    file,
    sessions: 0,
    added: 0,
    events: 0,
    toolCalls: 0,
    passed: 0,
    failed: 0,
    unscored: 0,
    notes: [],
  };
  if (format === 'dreamfold') {
    const checked = await checkExport({ request, report, log });
    return { sessions: report.sessions, write: (target) => writeExport(target, { request, report, checked }) };
  }
  const parse = await parserOf(request);
  const seen = new Set<string>();
  for await (const session of parse('check')) {
    // The same run twice in one file is one session.
    if (seen.has(session.sessionId)) continue;
    seen.add(session.sessionId);
    countIn(report, session);
  }
  if (report.sessions === 0) {
    throw new DreamfoldError('invalid_import', `${file} holds no sessions`, {
      path: file,
      remedy: 'Give a file with at least one row; `dreamfold import --help` shows one.',
    });
  }
  return { sessions: report.sessions, write: (target) => writeSessions(target, { request, report, parse }) };
}

/**
 * Adds recorded sessions to a log. The whole file is checked first: when any row is bad, nothing is written.
 * Importing a file again adds nothing; an import that was cut short is completed.
 * @throws DreamfoldError as checkImport, and those of the log
 */
export async function importSessions(log: Log, request: ImportRequest): Promise<ImportReport> {
  return (await checkImport(request, log)).write(log);
}

async function writeSessions(
  log: Log,
  { request, report, parse }: { request: ImportRequest; report: ImportReport; parse: Parse },
): Promise<ImportReport> {
  let done = 0;
  const running = new Set<Promise<void>>();
  let failure: unknown;
  for await (const session of parse('write')) {
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

type Parse = (phase: 'check' | 'write') => AsyncIterable<ImportedSession> | Iterable<ImportedSession>;

/** Rows are parsed once to check them and once to write them, so that a file of any length fits in memory. */
async function parserOf({ file, format, agent, model, onProgress }: ImportRequest): Promise<Parse> {
  const options: ImportOptions = {
    source: basename(file),
    sha256,
    ...(agent === undefined ? {} : { agent }),
    ...(model === undefined ? {} : { model }),
  };
  const total = await fileSizeBytes(file);
  if (format === 'tau-bench') {
    const sessions = parseTauBench(await readText(file), options);
    return () => sessions;
  }
  return async function* parseLines(phase) {
    let row = 0;
    for await (const { line, bytesRead } of readLines(file, MAX_ROW_CHARS)) {
      row += 1;
      const session = parseMessagesLine(line, row, options);
      if (session !== null) yield session;
      if (phase === 'check') onProgress?.('check', bytesRead, total);
    }
  };
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
