import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CsvError, parse } from 'csv-parse/sync';
import { UsageError } from '../usage-error.ts';

/** The data that is used when none is named: 10,003 requests to a bank in 77 queues. */
export const BANKING77 = fileURLToPath(new URL('../../../../../shared/data/banking77/requests.csv', import.meta.url));

/** A request of the data, with the queue that it belongs to. */
export interface LabelledRequest {
  text: string;
  queue: string;
}

const COLUMNS = ['text', 'category'] as const;

/**
 * Reads a CSV file of which the first row names the columns `text` and `category`, in any order.
 * @returns the rows in their order
 * @throws UsageError that names the file and the row
 */
export function readRequests(path: string): LabelledRequest[] {
  const rows = parseRows(path, readText(path));
  const columns = rows[0]?.fields.map((field) => field.trim()) ?? [];
  const [text, queue] = COLUMNS.map((name) => columns.indexOf(name)) as [number, number];
  if (text === -1 || queue === -1) {
    const found =
      columns.length === 0 ? 'is empty' : `has the columns ${columns.map((column) => JSON.stringify(column.slice(0, 40))).join(', ')}`;
    throw new UsageError(`${path} ${found}. Its first row has to name the columns ${COLUMNS.join(' and ')}.`);
  }
  return rows.slice(1).map(({ fields, line }) => {
    const request = { text: fields[text]!.trim(), queue: fields[queue]!.trim() };
    const missing = request.text === '' ? COLUMNS[0] : request.queue === '' ? COLUMNS[1] : null;
    if (missing === null) return request;
    throw new UsageError(`${path}:${line}: the ${missing} is empty. Give every row both, or take the row out.`);
  });
}

function readText(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const why =
      error instanceof TypeError ? 'is not UTF-8 text' : `can't be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
    throw new UsageError(`${path} ${why}. Name a CSV file of requests with their queues.`, { cause: error });
  }
}

function parseRows(path: string, text: string): { fields: string[]; line: number }[] {
  try {
    const rows: unknown = parse(text, { bom: true, info: true, skipEmptyLines: true });
    return (rows as { record: string[]; info: { lines: number } }[]).map(({ record, info }) => ({ fields: record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new UsageError(`${path} is not CSV: ${error.message}. Quote fields that hold commas, quotes or line breaks.`, {
      cause: error,
    });
  }
}
