import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import { interleave, sample, summarise, type BenchOptions, type Progress, type Summary } from '../rounds.ts';
import { least, median, rounded } from '../statistics.ts';
import { appendRun, firstRun } from './recorded-runs.ts';

export interface AppendRate {
  /** Events in an append, which is a transaction. */
  batch: number;
  /** µs per event. */
  append: Summary;
  bare: Summary;
  /** How much of the bare insert's rate is reached. */
  ratio: number;
  medianRatio: number;
}

/**
 * Appends the events of a recorded run, whole runs at a time, beside inserting the rows that such an append stores: the same
 * values in the same columns under the same indexes, so the same bytes end up on disk, encoded and hashed beforehand.
 */
export async function measureAppend(source: string, options: BenchOptions, progress: Progress): Promise<AppendRate> {
  const events = await firstRun(source);
  const stored = storedRows(source);
  const perEvent = async (work: () => Promise<unknown>): Promise<number> => {
    await sample(work, options.warmMs);
    const figures: number[] = [];
    for (let i = 0; i < options.samples; i += 1) figures.push((await sample(work, options.sampleMs)).us / events.length);
    return least(figures);
  };
  const figures = await interleave(
    [
      {
        name: 'append',
        measure: (round) => inDirectory(join(source, `append-${round}`), (directory) => appending(directory, events, perEvent)),
      },
      {
        name: 'bare',
        measure: (round) => inDirectory(join(source, `bare-${round}`), (directory) => inserting(directory, stored, perEvent)),
      },
    ],
    options.rounds,
    (round) => progress(`append: round ${round} of ${options.rounds}`),
  );
  return {
    batch: events.length,
    append: summarise(figures.append),
    bare: summarise(figures.bare),
    ratio: rounded(least(figures.bare) / least(figures.append)),
    medianRatio: rounded(median(figures.bare) / median(figures.append)),
  };
}

type PerEvent = (work: () => Promise<unknown>) => Promise<number>;

async function inDirectory(directory: string, measure: (directory: string) => Promise<number>): Promise<number> {
  mkdirSync(directory);
  try {
    return await measure(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function appending(directory: string, events: Parameters<typeof appendRun>[1], perEvent: PerEvent): Promise<number> {
  const log = await openSqliteLog({ directory });
  let n = 0;
  try {
    return await perEvent(() => appendRun(log, events, (n += 1)));
  } finally {
    await log.close();
  }
}

/** A session as the log's table holds it. */
interface StoredRows {
  /** The statements that made the table and its indexes. */
  table: string;
  columns: readonly string[];
  rows: readonly (readonly SQLInputValue[])[];
}

function storedRows(directory: string): StoredRows {
  const db = new DatabaseSync(join(directory, 'log.db'), { readOnly: true });
  const made = db.prepare("SELECT sql FROM sqlite_schema WHERE tbl_name = 'events' AND sql IS NOT NULL ORDER BY type DESC").all();
  const table = made.map(({ sql }) => `${sql as string};`).join('\n');
  const select = db.prepare("SELECT * FROM events WHERE stream = (SELECT min(id) FROM streams WHERE name LIKE 'session/%') ORDER BY seq");
  const columns = select.columns().map(({ name }) => name);
  select.setReturnArrays(true);
  const rows = select.all() as unknown as SQLInputValue[][];
  db.close();
  return { table, columns, rows };
}

/** Inserts stored rows into a table like the log's, with its indexes and without its foreign keys, under new streams and positions. */
async function inserting(directory: string, { table, columns, rows }: StoredRows, perEvent: PerEvent): Promise<number> {
  const db = new DatabaseSync(join(directory, 'bare.db'), { enableForeignKeyConstraints: false });
  db.exec(`PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16000; ${table}`);
  const [begin, commit] = [db.prepare('BEGIN'), db.prepare('COMMIT')];
  const insert = db.prepare(`INSERT INTO events (${columns.join()}) VALUES (${columns.map(() => '?').join()})`);
  const [positionAt, streamAt] = [columns.indexOf('position'), columns.indexOf('stream')];
  const values = rows.map((row) => [...row]);
  let [position, stream] = [0, 0];
  const figure = await perEvent(() => {
    stream += 1;
    begin.run();
    for (const row of values) {
      row[positionAt] = position += 1;
      row[streamAt] = stream;
      insert.run(...row);
    }
    commit.run();
    return Promise.resolve();
  });
  db.close();
  return figure;
}
