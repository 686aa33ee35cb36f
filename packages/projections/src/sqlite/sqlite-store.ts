import { rmSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { StoreFault, type Checkpoint, type Condition, type PageOf, type ProjectionStore, type Row, type Rows } from '../port.ts';
import { APPLICATION, FACETS, STATEMENTS } from './schema.ts';
import { asStoreFault, damaged } from './store-fault.ts';

/** How long a statement waits for another process's transaction. */
const BUSY_TIMEOUT_MS = 5000;

export interface SqliteStoreOptions {
  /** The database. It is made when its directory exists, and made anew when it is damaged. */
  path: string;
}

/**
 * Keeps projections in an SQLite database, which any number of processes may do in the same one.
 * @throws StoreFault where the file cannot be written: a read-only directory, a full disk, a lock that somebody holds
 */
export function openSqliteStore({ path }: SqliteStoreOptions): ProjectionStore {
  return new SqliteStore(path);
}

const COLUMNS = `view, key, stream, age, ${FACETS.join(', ')}, state`;
const COMPARED: Readonly<Record<Condition['is'], (column: string) => string>> = {
  equal: (column) => `${column} = ?`,
  below: (column) => `${column} < ?`,
  atLeast: (column) => `${column} >= ?`,
  containing: (column) => `instr(${column}, ?) > 0`,
};

class SqliteStore implements ProjectionStore {
  readonly #path: string;
  #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Something was taken away, and the write-ahead log still holds it. */
  #isForgetting = false;
  readonly #rows: Rows = {
    checkpoint: () => this.#readCheckpoint(),
    setCheckpoint: (checkpoint) => {
      this.#prepare('INSERT OR REPLACE INTO checkpoint (id, text) VALUES (1, ?)').run(JSON.stringify(checkpoint));
    },
    get: ({ view, stream, key }) => {
      const row = this.#prepare('SELECT age, state FROM rows WHERE view = ? AND key = ? AND stream = ?').get(view, key, stream);
      return row === undefined ? null : { age: row['age'] as number, state: this.#parse(row['state']) };
    },
    put: ({ view, key, stream, age, facets, state }) => {
      const values: SQLInputValue[] = [view, key, stream, age, ...FACETS.map((facet) => facets[facet]), JSON.stringify(state)];
      const changed = ['age', ...FACETS, 'state'].map((column) => `${column} = excluded.${column}`).join(', ');
      this.#prepare(
        `INSERT INTO rows (${COLUMNS}) VALUES (${values.map(() => '?').join(', ')}) ON CONFLICT (view, key, stream) DO UPDATE SET ${changed}`,
      ).run(...values);
    },
    forget: (stream) => {
      this.#prepare('DELETE FROM rows WHERE stream = ?').run(stream);
      this.#isForgetting = true;
    },
    clear: () => {
      this.#prepare('DELETE FROM rows').run();
      this.#prepare('DELETE FROM checkpoint').run();
      this.#isForgetting = true;
    },
  };

  constructor(path: string) {
    this.#path = path;
    this.#db = this.#open();
  }

  #open(): DatabaseSync {
    try {
      return this.#guard(() => openDatabase(this.#path));
    } catch (error) {
      if (!(error instanceof StoreFault) || !error.isDamage) throw error;
      return this.#guard(() => {
        removeDatabase(this.#path);
        return openDatabase(this.#path);
      });
    }
  }

  transaction<T>(run: (rows: Rows) => T): T {
    return this.#guard(() => {
      this.#prepare('BEGIN IMMEDIATE').run();
      let result: T;
      try {
        result = run(this.#rows);
        this.#prepare('COMMIT').run();
      } catch (error) {
        this.#isForgetting = false;
        // SQLite has rolled back by itself after some errors, a full disk among them.
        if (this.#db.isTransaction) this.#prepare('ROLLBACK').run();
        throw error;
      }
      if (this.#isForgetting) this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      this.#isForgetting = false;
      return result;
    });
  }

  checkpoint(): Checkpoint | null {
    return this.#guard(() => this.#readCheckpoint());
  }

  #readCheckpoint(): Checkpoint | null {
    const row = this.#prepare('SELECT text FROM checkpoint').get();
    return row === undefined ? null : (this.#parse(row['text']) as Checkpoint);
  }

  page({ view, where, order, after, limit = -1 }: PageOf): Row[] {
    const [direction, beyond] = order === 'oldest' ? ['ASC', '>'] : ['DESC', '<'];
    const { sql, values } = matching(view, where);
    const begin = after === undefined ? '' : ` AND (age, key) ${beyond} (?, ?)`;
    const from = after === undefined ? [] : [after.age, after.key];
    return this.#all(`${sql}${begin} ORDER BY age ${direction}, key ${direction} LIMIT ?`, [...values, ...from, limit]);
  }

  count({ view, where }: Pick<PageOf, 'view' | 'where'>): number {
    const { sql, values } = matching(view, where);
    return this.#guard(() => this.#prepare(`SELECT count(*) AS n FROM rows ${sql}`).get(...values)!['n'] as number);
  }

  beginningWith(view: string, prefix: string, limit: number): Row[] {
    return this.#all('WHERE view = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?', [view, prefix, `${prefix}\u{10ffff}`, limit]);
  }

  #all(rest: string, values: readonly SQLInputValue[]): Row[] {
    return this.#guard(() =>
      this.#prepare(`SELECT ${COLUMNS} FROM rows ${rest}`)
        .all(...values)
        .map((row) => ({
          ...{ view: row['view'] as string, key: row['key'] as string, stream: row['stream'] as string, age: row['age'] as number },
          facets: Object.fromEntries(FACETS.map((facet) => [facet, row[facet]])) as unknown as Row['facets'],
          state: this.#parse(row['state']),
        })),
    );
  }

  reset(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
    this.#guard(() => removeDatabase(this.#path));
    this.#db = this.#open();
  }

  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#guard(() => this.#db.close());
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #parse(text: unknown): unknown {
    try {
      return JSON.parse(text as string);
    } catch {
      throw damaged(this.#path, 'holds a row that is not what was written');
    }
  }

  #guard<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw asStoreFault(error, this.#path);
    }
  }
}

function matching(view: string, where: readonly Condition[]): { sql: string; values: SQLInputValue[] } {
  const conditions = where.map(({ facet, is }) => ` AND ${COMPARED[is](facet)}`).join('');
  return { sql: `WHERE view = ?${conditions}`, values: [view, ...where.map(({ value }) => value)] };
}

/** @throws StoreFault for a database that is none of ours */
function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    db.exec('PRAGMA journal_mode = WAL');
    // What is lost with the machine's power is folded again.
    db.exec('PRAGMA synchronous = NORMAL');
    // What is erased of the log is overwritten here, not only forgotten.
    db.exec('PRAGMA secure_delete = ON');
    if (isOurs(db)) return db;
    db.exec('BEGIN IMMEDIATE');
    const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema').get() === undefined;
    // Another process may have made it meanwhile.
    if (!isEmpty && !isOurs(db)) throw damaged(path, 'holds other tables than were made');
    if (isEmpty) for (const statement of [...STATEMENTS, `PRAGMA application_id = ${APPLICATION}`]) db.exec(statement);
    db.exec('COMMIT');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function isOurs(db: DatabaseSync): boolean {
  if (db.prepare('PRAGMA application_id').get()!['application_id'] !== APPLICATION) return false;
  const found = db.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid').all();
  return found.length === STATEMENTS.length && found.every(({ sql }, i) => sql === STATEMENTS[i]);
}

function removeDatabase(path: string): void {
  for (const ending of ['', '-wal', '-shm']) rmSync(`${path}${ending}`, { force: true });
}
