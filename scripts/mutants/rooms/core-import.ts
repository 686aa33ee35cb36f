import type { Room } from '../mutant.ts';

const at = (path: string): string => `packages/core/src/import/${path}`;

/** Records of other systems as sessions. */
export const CORE_IMPORT: Room = {
  room: 'core-import',
  mutants: [
    {
      name: 'feedback-in-the-id',
      what: 'The same run, imported again with feedback that came later, would be a second session.',
      file: at('messages.ts'),
      find: 'return JSON.stringify(content);',
      replace: 'return JSON.stringify(value);',
      tests: [at('messages.test.ts')],
    },
    {
      name: 'principals-that-nobody-checked',
      what: 'Any name in a file would count as a principal that somebody has authenticated.',
      file: at('imported-session.ts'),
      find: 'this.#trustPrincipals = options.trustPrincipals ?? false;',
      replace: 'this.#trustPrincipals = options.trustPrincipals ?? true;',
      tests: [at('messages.test.ts'), at('tau-bench.test.ts')],
    },
    {
      name: 'time-without-an-offset',
      what: 'A recorded time would depend on the time zone of the machine that imports it.',
      file: at('recorded/recorded-time.ts'),
      find: 'Date.parse(OFFSET.test(recorded) ? recorded : `${recorded}Z`)',
      replace: 'Date.parse(OFFSET.test(recorded) ? recorded : `${recorded}+01:00`)',
      tests: [at('recorded/recorded-time.test.ts')],
    },
    {
      name: 'time-out-of-this-century',
      what: 'Seconds that were taken for milliseconds would be a time in 1970.',
      file: at('recorded/recorded-time.ts'),
      find: 'ms >= EARLIEST_MS && ms < END_MS',
      replace: 'ms < END_MS',
      tests: [at('recorded/recorded-time.test.ts')],
    },
    {
      name: 'text-that-is-too-long-for-an-event',
      what: 'A row with a very long text would fail, instead of being cut with a note.',
      file: at('cut-text.ts'),
      find: 'if (unitsWithin(text, maxBytes) === text.length) return { text, lost: 0 };',
      replace: 'if (unitsWithin(text, maxBytes) > 0) return { text, lost: 0 };',
      tests: [at('cut-text.test.ts')],
    },
    {
      name: 'appends-of-a-long-turn',
      what: 'A turn of thousands of messages would be one append, which no log takes.',
      file: at('append-writer.ts'),
      find: 'if (this.appends.at(-1)!.events.length >= MAX_APPEND_EVENTS) this.nextPart();',
      replace: '',
      tests: [at('messages.test.ts'), at('tau-bench.test.ts'), at('messages-malformed.test.ts')],
    },
  ],
};
