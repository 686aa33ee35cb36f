import type { Facet } from '../port.ts';

/** In the order of their columns. */
export const FACETS = ['status', 'store', 'agent', 'principal', 'outcome', 'time', 'alone', 'title'] as const satisfies readonly Facet[];

/** By these a page is found without looking at what the filter does not let through. */
const INDEXED = ['status', 'store', 'agent', 'principal', 'outcome', 'time'] as const satisfies readonly Facet[];

/** In `PRAGMA application_id`: "drmv". */
export const APPLICATION = 0x64726d76;

// `row` is there for the indexes, which are smaller by it; `state` is JSON. The one checkpoint is JSON as well.
export const STATEMENTS: readonly string[] = [
  `CREATE TABLE rows (
  row INTEGER PRIMARY KEY,
  view TEXT NOT NULL,
  key TEXT NOT NULL,
  stream TEXT NOT NULL,
  age INTEGER NOT NULL,
  ${FACETS.map((facet) => `${facet} ${facet === 'time' || facet === 'alone' ? 'INTEGER NOT NULL' : 'TEXT'}`).join(',\n  ')},
  state TEXT NOT NULL,
  UNIQUE (view, key, stream)
) STRICT`,
  'CREATE INDEX by_age ON rows (view, age, key)',
  'CREATE INDEX by_stream ON rows (stream)',
  ...INDEXED.map((facet) => `CREATE INDEX by_${facet} ON rows (view, ${facet}, age, key) WHERE ${facet} IS NOT NULL`),
  'CREATE TABLE checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), text TEXT NOT NULL) STRICT',
];
