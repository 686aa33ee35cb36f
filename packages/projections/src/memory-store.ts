import type { Checkpoint, Condition, PageOf, ProjectionStore, Row, Rows } from './port.ts';

/** Keeps projections in memory, for as long as the process lives. */
export function openMemoryStore(): ProjectionStore {
  return new MemoryStore();
}

class MemoryStore implements ProjectionStore {
  /** By view, then by key and stream. */
  #views = new Map<string, Map<string, Row>>();
  #checkpoint: Checkpoint | null = null;

  transaction<T>(run: (rows: Rows) => T): T {
    const undo: (() => void)[] = [];
    const before = this.#checkpoint;
    try {
      return run(this.#rows(undo));
    } catch (error) {
      for (const step of undo.reverse()) step();
      this.#checkpoint = before;
      throw error;
    }
  }

  #rows(undo: (() => void)[]): Rows {
    const set = (row: Row, value: Row | undefined): void => {
      const rows = this.#rowsOf(row.view);
      const before = rows.get(placeOf(row));
      undo.push(() => (before === undefined ? rows.delete(placeOf(row)) : rows.set(placeOf(row), before)));
      if (value === undefined) rows.delete(placeOf(row));
      else rows.set(placeOf(row), value);
    };
    return {
      checkpoint: () => this.#checkpoint,
      setCheckpoint: (checkpoint) => (this.#checkpoint = checkpoint),
      get: (row) => this.#rowsOf(row.view).get(placeOf(row)) ?? null,
      put: (row) => set(row, row),
      forget: (stream) => {
        for (const rows of this.#views.values()) for (const row of [...rows.values()]) if (row.stream === stream) set(row, undefined);
      },
      clear: () => {
        const views = this.#views;
        undo.push(() => (this.#views = views));
        this.#views = new Map();
        this.#checkpoint = null;
      },
    };
  }

  #rowsOf(view: string): Map<string, Row> {
    const rows = this.#views.get(view) ?? new Map<string, Row>();
    this.#views.set(view, rows);
    return rows;
  }

  checkpoint(): Checkpoint | null {
    return this.#checkpoint;
  }

  page({ view, where, order, after, limit }: PageOf): Row[] {
    const sign = order === 'oldest' ? 1 : -1;
    const compare = (a: Pick<Row, 'age' | 'key'>, b: Pick<Row, 'age' | 'key'>): number =>
      sign * (a.age - b.age || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    return this.#matching(view, where)
      .filter((row) => after === undefined || compare(row, after) > 0)
      .sort(compare)
      .slice(0, limit);
  }

  count({ view, where }: Pick<PageOf, 'view' | 'where'>): number {
    return this.#matching(view, where).length;
  }

  beginningWith(view: string, prefix: string, limit: number): Row[] {
    const found = [...this.#rowsOf(view).values()].filter(({ key }) => key.startsWith(prefix));
    return found.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit);
  }

  #matching(view: string, where: readonly Condition[]): Row[] {
    return [...this.#rowsOf(view).values()].filter((row) => where.every((condition) => holds(row, condition)));
  }

  reset(): void {
    this.#views = new Map();
    this.#checkpoint = null;
  }

  close(): void {
    this.reset();
  }
}

function placeOf({ key, stream }: Pick<Row, 'key' | 'stream'>): string {
  return `${key} ${stream}`;
}

function holds({ facets }: Row, { facet, is, value }: Condition): boolean {
  const found = facets[facet];
  if (found === null) return false;
  switch (is) {
    case 'equal':
      return found === value;
    case 'below':
      return found < value;
    case 'atLeast':
      return found >= value;
    case 'containing':
      return String(found).includes(String(value));
  }
}
