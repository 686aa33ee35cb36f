import { basename } from 'node:path';
import { isDreamfoldError, parseJson } from '@dreamfold/events';
import {
  areRows,
  DOCUMENT_LIMITS,
  importMessages,
  parseMessagesLine,
  parseTools,
  readTauBench,
  tried,
  type ImportOptions,
  type ReadRow,
} from '@dreamfold/core';
import { BYTES } from '../content-blobs.ts';
import { sha256 } from '../digest.ts';
import type { ImportRequest } from './import-report.ts';
import { fileSizeBytes, readBeginning, readLines, readText } from '../text-file.ts';

/** A transcript is far shorter; what has no line breaks is no file of transcripts. */
const MAX_ROW_CHARS = 16 * 1024 * 1024;

/** Reads the rows of a file. Lines are read anew each time, so that a file of any length fits in memory. */
export type ReadRows = (phase: 'check' | 'write') => AsyncIterable<ReadRow> | Iterable<ReadRow>;

/** @throws DreamfoldError not_found, invalid_import, invalid_json and the like, for what is wrong with the file and not with a row of it */
export async function rowsOf(request: ImportRequest): Promise<ReadRows> {
  const { file, format, agent, model, trustPrincipals, tools } = request;
  const options: ImportOptions = {
    source: basename(file),
    sha256,
    bytes: BYTES,
    ...(agent === undefined ? {} : { agent }),
    ...(model === undefined ? {} : { model }),
    ...(trustPrincipals === undefined ? {} : { trustPrincipals }),
    ...(tools === undefined ? {} : { tools: parseTools(await readText(tools), basename(tools)) }),
  };
  const total = await fileSizeBytes(file);
  if (format === 'tau-bench') {
    const rows = readTauBench(await readText(file), options);
    return () => rows;
  }
  const document = await documentOf(file, options.source, total);
  if (document !== null) return () => rowsOfDocument(document.value, options);
  return (phase) => rowsOfLines(request, { options, onBytes: (bytes) => phase === 'check' && request.onProgress?.('check', bytes, total) });
}

async function* rowsOfLines(
  { file }: ImportRequest,
  { options, onBytes }: { options: ImportOptions; onBytes: (bytesRead: number) => void },
): AsyncGenerator<ReadRow> {
  let row = 0;
  for await (const { line, bytesRead } of readLines(file, MAX_ROW_CHARS)) {
    row += 1;
    const read = tried(() => parseMessagesLine(line, row, options));
    if ('error' in read) yield { row, error: read.error };
    else if (read.value !== null) yield { row, value: read.value };
    onBytes(bytesRead);
  }
}

function* rowsOfDocument(value: unknown, options: ImportOptions): Generator<ReadRow> {
  const rows = Array.isArray(value) && areRows(value) ? (value as unknown[]) : [value];
  for (const [i, row] of rows.entries()) yield { row: i + 1, ...tried(() => importMessages(row, i + 1, options)) };
}

/**
 * The one JSON value that a file holds, for a file that is a JSON array or an object over several lines.
 * @returns null for a file with a row in each line, of which an array may be one
 * @throws DreamfoldError invalid_json and the like, for a file that is neither
 */
async function documentOf(file: string, source: string, sizeBytes: number): Promise<{ value: unknown } | null> {
  const beginning = (await readBeginning(file)).trimStart();
  const mayBe = beginning.startsWith('[') || /^\{[ \t]*\r?\n/.test(beginning);
  if (!mayBe || sizeBytes > DOCUMENT_LIMITS.maxBytes) return null;
  const text = (await readText(file)).replace(/^\uFEFF/, '');
  try {
    return { value: parseJson(text, source, DOCUMENT_LIMITS) };
  } catch (error) {
    if (!isDreamfoldError(error, 'invalid_json') || !isJson(text.slice(0, text.indexOf('\n')))) throw error;
    return null;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
