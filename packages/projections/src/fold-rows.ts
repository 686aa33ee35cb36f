import type { LogEvent } from '@dreamfold/events';
import type { Row, Rows } from './port.ts';
import { facetsOf, viewsOf, type View } from './views.ts';

type Place = Pick<Row, 'view' | 'stream' | 'key'>;

/** Folds events into rows: each row is read once and written once, however many events it takes. */
export class RowFold {
  readonly #get: (place: Place) => Pick<Row, 'state' | 'age'> | null;
  readonly #hasOneOrder: boolean;
  readonly #touched = new Map<string, Place & { of: View; state: unknown; age: number }>();

  /**
   * @param get the row as it was kept
   * @param hasOneOrder positions tell which of two events came first
   */
  constructor(get: (place: Place) => Pick<Row, 'state' | 'age'> | null, hasOneOrder: boolean) {
    this.#get = get;
    this.#hasOneOrder = hasOneOrder;
  }

  add(event: LogEvent): void {
    for (const view of viewsOf(event.stream)) {
      const key = view.keyOf(event);
      if (key === null) continue;
      const id = `${view.name} ${event.stream} ${key}`;
      const row = this.#touched.get(id) ?? this.#begin(view, event, key);
      // What comes before the event that begins a row, such as a decision on a patch that is not there, counts for nothing.
      if (row.state === null) row.age = this.#ageOf(event);
      row.state = view.evolve(row.state, event);
      this.#touched.set(id, row);
    }
  }

  #begin(of: View, event: LogEvent, key: string): Place & { of: View; state: unknown; age: number } {
    const place = { view: of.name, stream: event.stream, key };
    const { state, age } = this.#get(place) ?? { state: of.initial(key), age: this.#ageOf(event) };
    return { ...place, of, state, age };
  }

  /** What one append wrote has one time: its place in the stream tells it apart. */
  #ageOf({ position, time, seq }: LogEvent): number {
    return this.#hasOneOrder ? position : time * 1000 + (seq % 1000);
  }

  write(rows: Pick<Rows, 'put'>): void {
    // A row is null before what begins it: what speaks of a patch whose proposal was erased.
    for (const { of, ...row } of this.#touched.values()) if (row.state !== null) rows.put({ ...row, facets: facetsOf(of, row.state) });
  }
}
