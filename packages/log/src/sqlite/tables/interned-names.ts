import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { checkRises } from '../database/sqlite-error.ts';

/** More names than this are looked up again rather than kept in memory. */
const MAX_CACHED = 4_096;

/** Strings that repeat in many rows, each stored once under a number. */
export class InternedNames {
  readonly #ids = new Map<string, number>();
  readonly #names = new Map<number, string>();
  readonly #selectId: StatementSync;
  readonly #selectName: StatementSync;
  readonly #selectAfter: StatementSync;
  readonly #selectFrom: StatementSync;
  readonly #insert: StatementSync;

  constructor(db: DatabaseSync, table: 'names' | 'streams') {
    this.#selectId = db.prepare(`SELECT id FROM ${table} WHERE name = ?`);
    this.#selectName = db.prepare(`SELECT name FROM ${table} WHERE id = ?`);
    this.#selectAfter = db.prepare(`SELECT id, name FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`);
    this.#selectFrom = db.prepare(`SELECT name FROM ${table} WHERE name >= ?1 AND name < ?1 || char(127) ORDER BY name LIMIT ?2`);
    this.#insert = db.prepare(`INSERT INTO ${table} (name) VALUES (?)`);
  }

  find(name: string): number | null {
    const cached = this.#ids.get(name);
    if (cached !== undefined) return cached;
    const row = this.#selectId.get(name);
    if (row === undefined) return null;
    return this.#remember(row['id'] as number, name);
  }

  /** Inside a transaction. When that is rolled back, call {@link forget}. */
  intern(name: string): number {
    return this.find(name) ?? this.#remember(Number(this.#insert.run(name).lastInsertRowid), name);
  }

  /** @returns '' for an id that no row has, which no hash will agree with */
  name(id: number): string {
    const cached = this.#names.get(id);
    if (cached !== undefined) return cached;
    const name = (this.#selectName.get(id)?.['name'] as string | undefined) ?? '';
    this.#remember(id, name);
    return name;
  }

  /** The next names, in the order in which they were added. */
  after(id: number, limit: number): { id: number; name: string }[] {
    const rows = this.#selectAfter.all(id, limit) as { id: number; name: string }[];
    if (rows.length > 0) checkRises(rows.at(-1)!.id, id);
    return rows;
  }

  /** Names that begin with a prefix, in their order. Names of streams are ASCII. */
  beginningWith(prefix: string, limit: number): string[] {
    return this.#selectFrom.all(prefix, limit).map(({ name }) => name as string);
  }

  forget(): void {
    this.#ids.clear();
    this.#names.clear();
  }

  #remember(id: number, name: string): number {
    if (this.#ids.size >= MAX_CACHED) this.forget();
    this.#ids.set(name, id);
    this.#names.set(id, name);
    return id;
  }
}
