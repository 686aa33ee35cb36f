import type { Room } from '../mutant.ts';

const at = (path: string): string => `packages/projections/src/${path}`;
const STORE = [at('memory-store.test.ts')];
const LISTS = [at('lists.test.ts')];
const SQLITE = [at('sqlite/sqlite-store.live.test.ts')];

/** What keeps rows at what the log holds. */
export const PROJECTIONS: Room = {
  room: 'projections',
  mutants: [
    {
      name: 'rows-of-another-log',
      what: 'Lists would show the sessions of a log that stood here before.',
      file: at('projections.ts'),
      find: 'if (logId !== this.#log.logId || folds !== FOLDS',
      replace: 'if (folds !== FOLDS',
      tests: STORE,
    },
    {
      name: 'rows-by-older-folds',
      what: 'Rows that an older Dreamfold has made would be shown as they are.',
      file: at('projections.ts'),
      find: 'if (logId !== this.#log.logId || folds !== FOLDS',
      replace: 'if (logId !== this.#log.logId',
      tests: STORE,
    },
    {
      name: 'rows-of-events-that-are-gone',
      what: 'After a restore from an older copy, lists would show what is not there any more.',
      file: at('projections.ts'),
      find: 'cursor.every((seen, i) => seen === 0 || last.get(i) === hashes[i])',
      replace: 'cursor.every((seen) => seen >= 0)',
      tests: STORE,
    },
    {
      name: 'fold-after-another-fold',
      what: 'Two processes that fold the same events would count them twice.',
      file: at('projections.ts'),
      find: 'if (!isSame(rows.checkpoint(), at)) return;\n      const fold = new RowFold((place)',
      replace: 'const fold = new RowFold((place)',
      tests: STORE,
    },
    {
      name: 'erased-title-stays',
      what: 'What was erased of the log would stay in its lists.',
      file: at('projections.ts'),
      find: 'for (const stream of streams) rows.forget(stream);\n      const fold = new RowFold(() => null, this.#hasOneOrder);\n      for (const event of events) fold.add(event);\n      fold.write(rows);\n',
      replace: '',
      tests: STORE,
    },
    {
      name: 'erased-before-anybody-looked',
      what: 'What was erased while nobody knew since when would stay in lists.',
      file: at('projections.ts'),
      find: 'if (streams === null) return rows.clear();',
      replace: 'if (streams === null) return rows.setCheckpoint({ ...at, erasures: mark });',
      tests: STORE,
    },
    {
      name: 'row-of-what-never-began',
      what: 'A decision on a patch that is not there would stand in the list of proposals.',
      file: at('fold-rows.ts'),
      find: 'if (row.state !== null) rows.put(',
      replace: 'rows.put(',
      tests: LISTS,
    },
    {
      name: 'page-without-its-end',
      what: 'The last page would name a next one.',
      file: at('lists.ts'),
      find: 'next: found.length > rows.length ? (rows.at(-1)?.key ?? null) : null',
      replace: 'next: rows.at(-1)?.key ?? null',
      tests: LISTS,
    },
    {
      name: 'page-after-what-begins-like-it',
      what: 'A page after an id that is none would begin somewhere.',
      file: at('lists.ts'),
      find: 'if (row?.key === key) return row;',
      replace: 'if (row !== undefined) return row;',
      tests: LISTS,
    },
    {
      name: 'unattended-while-somebody-may-run-it',
      what: 'Where nobody knows who runs a session, as on Kafka, it would be listed as unattended.',
      file: at('lists.ts'),
      find: "processor === 'unknown' ? Number.MIN_SAFE_INTEGER : (processor?.since ?? NEVER_ALONE)",
      replace: "processor === 'unknown' ? NEVER_ALONE : (processor?.since ?? NEVER_ALONE)",
      tests: LISTS,
    },
    {
      name: 'lists-end-with-a-damaged-file',
      what: 'A damaged file of rows, which can be built again, would end every list.',
      file: at('lists.ts'),
      find: 'if (!(error instanceof StoreFault)) throw error;\n        this.#recover(error, attempt);',
      replace: 'throw error;',
      tests: SQLITE,
    },
    {
      name: 'rows-after-a-fault',
      what: 'A fold that fails halfway would leave rows of events that it will fold again.',
      file: at('memory-store.ts'),
      find: 'for (const step of undo.reverse()) step();',
      replace: '',
      tests: STORE,
    },
    {
      name: 'filter-on-nothing',
      what: 'A session without an outcome would be listed among those below one.',
      file: at('memory-store.ts'),
      find: 'if (found === null) return false;',
      replace: '',
      tests: STORE,
    },
    {
      name: 'rows-of-a-damaged-database',
      what: 'A database of rows that is none would end every command that lists.',
      file: at('sqlite/sqlite-store.ts'),
      find: 'if (!(error instanceof StoreFault) || !error.isDamage) throw error;',
      replace: 'throw error;',
      tests: SQLITE,
    },
    {
      name: 'erased-words-in-the-file',
      what: 'What was erased of the log could be read in the file of its lists.',
      file: at('sqlite/sqlite-store.ts'),
      find: "db.exec('PRAGMA secure_delete = ON');",
      replace: '',
      tests: SQLITE,
    },
  ],
};
