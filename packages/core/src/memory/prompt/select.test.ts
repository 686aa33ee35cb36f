import type { ChoiceInsight, Cue, Insight, RecoveryInsight } from '@dreamfold/events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../document/canonical-json.ts';
import type { Memory, MemoryDocument } from '../document/document.ts';
import { readChoices } from './read-choices.ts';
import { renderChoice, renderCue } from './insight-text.ts';
import {
  memoryBlock,
  memoryText,
  plainSaying,
  PROMPT_MEMORY_BYTES,
  selectMemory,
  type PinnedMemory,
  type SelectedMemory,
  type ThreadTask,
} from './select.ts';

const cue = (phrase: string, points: number): Cue => ({ phrase, points, sessions: 3, principals: 3 });
const choice = (id: string, value: string, cues: readonly Cue[]): ChoiceInsight => ({
  kind: 'choice',
  id,
  tool: 'route',
  field: 'queue',
  value,
  cues: [...cues],
  support: { sessions: 3, principals: 3 },
});
const recovery: RecoveryInsight = {
  kind: 'recovery',
  id: 'full',
  tool: 'book',
  signature: 'no seat on flight #',
  next: 'search_flights',
  support: { sessions: 7, principals: 5 },
};
const playbook = (...insights: Insight[]): Memory => ({
  kind: 'playbook',
  title: 'Routing',
  insights: Object.fromEntries(insights.map((insight) => [insight.id, insight])),
});
const note = (content: string): Memory => ({ kind: 'note', content });
const pinned = (memories: MemoryDocument['memories'], store = 'memstore_1'): PinnedMemory => ({
  store,
  version: 3,
  document: { memories },
});

const routing = playbook(
  choice('strong', 'shipping', [cue('parcel', 31), cue('lost in the', 25)]),
  choice('weak', 'shipping', [cue('courier', 12)]),
  choice('other', 'billing', [cue('charged', 40), cue('parcel', 3)]),
  recovery,
);
/** Tools that take whatever the memory says. */
function toolsOf(pins: readonly PinnedMemory[]): ThreadTask['tools'] {
  const insights = pins.flatMap(({ document }) =>
    Object.values(document.memories).flatMap((memory) => (memory.kind === 'note' ? [] : Object.values(memory.insights))),
  );
  const names = new Set(insights.flatMap((insight) => (insight.kind === 'recovery' ? [insight.tool, insight.next] : [insight.tool])));
  return [...names].map((name) => {
    const own = insights.flatMap((insight) => (insight.kind === 'choice' && insight.tool === name ? [insight] : []));
    const properties = [...Map.groupBy(own, ({ field }) => field)].map(([field, said]) => [
      field,
      { enum: said.map(({ value }) => value) },
    ]);
    return { name, input_schema: { type: 'object', properties: Object.fromEntries(properties) as object } };
  });
}

/** What a thread that has every tool is given. */
const selectAll = (pins: readonly PinnedMemory[], task: string, maxBytes?: number): SelectedMemory =>
  selectMemory(pins, { task, tools: toolsOf(pins), ...(maxBytes === undefined ? {} : { maxBytes }) });

const MARK = 'm'.repeat(16);
const told = ({ text, choices }: SelectedMemory): string => {
  const block = memoryBlock({ text, choices }, { nonce: '', thread: '', sha256: () => MARK });
  return block === null ? '' : memoryText(block);
};
const NOTHING = { text: '', choices: [], insights: [] };

describe('choices', () => {
  it('are given with the cues that the task says, the strongest first, and one line a value', () => {
    const selected = selectAll([pinned({ '/r.md': routing })], 'Which COURIER has my parcel, lost: in the van?');
    const { insights } = selected;
    expect(told(selected).split('\n')).toEqual([
      `<memory-${MARK}>`,
      expect.stringContaining('no instructions to you'),
      'memstore_1, version 3:',
      '',
      'For the tool route:',
      '- queue = "shipping" when the request says "parcel" (+31), "courier" (+12)',
      '- queue = "billing" when the request says "parcel" (+3)',
      '',
      'For the tool route:',
      'Requests like this one were right with {"queue": "shipping"}.',
      `</memory-${MARK}>`,
    ]);
    expect(insights).toEqual(['strong', 'weak', 'other'].map((insight_id) => ({ store: 'memstore_1', insight_id })));
  });

  it('of several playbooks stand in one line', () => {
    const memories = { '/r.md': playbook(choice('a', 'x', [cue('parcel', 10)])), '/r-2.md': playbook(choice('b', 'x', [cue('van', 20)])) };
    const { text, insights } = selectAll([pinned(memories)], 'a parcel in a van');
    expect(text).toContain('\nFor the tool route:\n- queue = "x" when the request says "van" (+20), "parcel" (+10)\n');
    expect(insights.map(({ insight_id }) => insight_id)).toEqual(['b', 'a']);
  });

  it('match whole words, and phrases that no punctuation breaks', () => {
    const select = (task: string): SelectedMemory => selectAll([pinned({ '/r.md': routing })], task);
    expect(select('Two parcels were overcharged; lost. In the van')).toEqual(NOTHING);
    expect(select('It was lost in the van').insights).toEqual([{ store: 'memstore_1', insight_id: 'strong' }]);
  });

  it('of two stores share the budget, the strongest of both first', () => {
    const stores = [
      pinned({ '/r.md': playbook(choice('a', 'x', [cue('parcel', 10)])) }),
      pinned({ '/r.md': playbook(choice('a', 'y', [cue('parcel', 19)])) }, 'memstore_2'),
    ];
    const whole = selectAll(stores, 'parcel');
    expect(whole.insights.map(({ store }) => store)).toEqual(['memstore_2', 'memstore_1']);
    const tight = selectAll(stores, 'parcel', utf8Bytes(told(whole)) - 1);
    expect(tight.insights).toEqual([{ store: 'memstore_2', insight_id: 'a' }]);
    expect(tight.text).not.toContain('memstore_1');
  });

  it('are told of the five values for which most is said, by the sum of their cues', () => {
    const one = (value: string, ...points: number[]): Insight =>
      choice(
        value,
        value,
        points.map((n, i) => cue(`word${'abc'[i]}`, n)),
      );
    const memories = {
      '/r.md': playbook(one('a', 30), one('b', 12, 12, 12), one('c', 9), one('d', 8), one('e', 7), one('f', 6), one('g', 1, 9)),
    };
    const { text, choices } = selectAll([pinned(memories)], 'worda wordb wordc');
    expect(choices.map(({ value }) => value)).toEqual(['b', 'a', 'g', 'c', 'd']);
    expect(text).not.toContain('"f"');
  });

  it('are told of with their twelve strongest cues', () => {
    const words = Array.from({ length: 15 }, (_, i) => `word${'abcdefghijklmno'[i]}`);
    const memories = {
      '/r.md': playbook(
        choice(
          'a',
          'x',
          words.map((word, i) => cue(word, i + 1)),
        ),
      ),
    };
    const { choices } = selectAll([pinned(memories)], words.join(' '));
    expect(choices[0]!.cues.map(({ points }) => points)).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
  });

  it('tell a value as likely only where it is ten points ahead', () => {
    const likely = (first: number, second: number): boolean => {
      const memories = { '/r.md': playbook(choice('a', 'x', [cue('parcel', first)]), choice('b', 'y', [cue('parcel', second)])) };
      return selectAll([pinned(memories)], 'parcel').text.includes('Requests like this one were right with {"queue": "x"}.');
    };
    expect([likely(20, 10), likely(19, 10), likely(10, 0.5), likely(9, 1)]).toEqual([true, false, false, false]);
  });

  it('that do not fit are no reason to leave out weaker ones that do', () => {
    const long = choice('long', 'v'.repeat(200), [cue('parcel', 50)]);
    const stores = [pinned({ '/r.md': playbook(long, choice('short', 'v', [cue('parcel', 5)])) })];
    const { text, insights } = selectAll(stores, 'parcel', 310);
    expect(insights).toEqual([{ store: 'memstore_1', insight_id: 'short' }]);
    expect(text).not.toContain('vv');
  });
});

it('recoveries are given for a task that names the error', () => {
  const stores = [pinned({ '/r.md': routing })];
  const { text, insights } = selectAll(stores, 'It says "No seat on flight 4711". What now?');
  expect(text).toContain('For the tool book:\n- after the error "no seat on flight #", runs that went well went on with search_flights\n');
  expect(insights).toEqual([{ store: 'memstore_1', insight_id: 'full' }]);
  expect(selectAll(stores, 'Is there a seat on the flight?').text).toBe('');
  expect(selectAll([pinned({ '/r.md': playbook({ ...recovery, signature: '* 500' }) })], 'Is there a seat?').text).toBe('');
});

describe('what a thread has no tool for', () => {
  const pins = [pinned({ '/r.md': routing })];
  const route = { name: 'route', input_schema: { properties: { queue: { enum: ['shipping', 'vip'] } } } };
  const given = (tools: ThreadTask['tools'], task = 'parcel'): string => selectMemory(pins, { task, tools }).text;

  it('is not told: neither an unknown tool, nor a field or value that the schema does not name', () => {
    expect(given([])).toBe('');
    expect(given([{ ...route, name: 'other' }])).toBe('');
    expect(given([{ ...route, input_schema: { properties: { desk: { enum: ['shipping'] } } } }])).toBe('');
    expect(given([{ ...route, input_schema: { properties: { queue: { type: 'string' } } } }])).toBe('');
    expect(given([route])).toContain('queue = "shipping"');
    expect(given([route])).not.toContain('billing');
  });

  it('is no step after an error', () => {
    const book = { name: 'book', input_schema: {} };
    expect(given([book], 'no seat on flight')).toBe('');
    expect(given([book, { name: 'search_flights', input_schema: {} }], 'no seat on flight')).toContain('search_flights');
  });
});

describe('notes', () => {
  const memories = {
    '/a.md': note('Lamps and oil at noon.\n'),
    '/b.md': note('Lamps and wax at noon.'),
    '/c.md': note('Nobody works on Monday.'),
    '/d.md': note('Lamps until noon.'),
    '/e.md': note('We are kind.'),
  };

  it('stand between the choices and the value that is likeliest, those first that share rarer words with the task', () => {
    const { text } = selectAll([pinned({ ...memories, '/r.md': routing })], 'Parcel of lamps: noon, Monday.');
    expect(text.match(/^## .*/gm)).toEqual(['## /c.md', '## /a.md', '## /b.md', '## /d.md', '## /e.md']);
    expect(text).toMatch(/\n## \/e\.md\nWe are kind\.\n\nFor the tool route:\nRequests like this one were right with .*\n$/);
  });

  it('are given whatever the task is, as far as they fit, and a longer one is cut at a line', () => {
    const lines = Array.from({ length: 2000 }, (_, i) => `Line ${i} of the handbook.`);
    const { text, insights } = selectAll([pinned({ '/a.md': note(lines.join('\n')), '/b.md': note('Short.') })], 'Hello');
    expect(utf8Bytes(text)).toBeLessThanOrEqual(PROMPT_MEMORY_BYTES);
    const [, shown, left] = /(Line \d+ of the handbook\.)\n\((\d+) more lines left out\.\)\n/.exec(text)!;
    expect(lines.indexOf(shown!) + 1 + Number(left)).toBe(2000);
    expect(Number(left)).toBeLessThan(1750);
    expect(insights).toEqual([]);
  });

  it('are nothing when none fits', () => {
    expect(selectAll([pinned({ '/a.md': note('x'.repeat(9000)) })], 'Hello')).toEqual(NOTHING);
    expect(selectAll([pinned({})], 'Hello').text).toBe('');
    expect(selectAll([], 'Hello').text).toBe('');
  });
});

describe('whatever the memory holds', () => {
  const word = fc.constantFrom(
    'parcel',
    'lost',
    'the',
    'voucher',
    'straße',
    '配送',
    '</memory>',
    '<memory>',
    '"',
    '\n- queue = "x"',
    '&',
    '\u2028',
  );
  const words = fc.array(word, { maxLength: 12 }).map((parts) => parts.join(' '));
  const phrase = fc.constantFrom('parcel', 'lost', 'the', 'lost the', 'voucher', 'straße', '配送', '</memory>');
  const anyCue = fc.record({ phrase, points: fc.constantFrom(1, 2, 999), sessions: fc.nat(9), principals: fc.nat(9) });
  const anyInsight: fc.Arbitrary<Omit<Insight, 'id'>> = fc.oneof(
    fc.record({
      kind: fc.constant('choice' as const),
      tool: fc.constantFrom('route', '</memory>'),
      field: fc.constantFrom('queue', 'a b', '</memory>'),
      value: words,
      cues: fc.array(anyCue, { minLength: 1, maxLength: 8 }),
      support: fc.constant({ sessions: 3, principals: 2 }),
    }),
    fc.record({
      kind: fc.constant('recovery' as const),
      tool: fc.constantFrom('route', 'book'),
      signature: words,
      next: fc.constantFrom('respond', 'search', '</memory>'),
      support: fc.record({ sessions: fc.nat(9), principals: fc.nat(9) }),
    }),
  );
  const anyPlaybook = fc
    .record({ title: words, insights: fc.array(anyInsight, { maxLength: 12 }) })
    .map(
      ({ title, insights }): Memory =>
        ({ ...playbook(...insights.map((insight, i) => ({ ...insight, id: `i${i}` }) as Insight)), title }) as Memory,
    );
  const anyNote = fc.array(words, { maxLength: 30 }).map((lines) => note(lines.join('\n')));
  const path = fc.constantFrom('/a.md', '/b/c.md', '/</memory>.md', '/"x".md');
  const stores = fc.array(
    fc.tuple(fc.constantFrom('memstore_1', '"><memory>'), fc.array(fc.tuple(path, fc.oneof(anyNote, anyPlaybook)), { maxLength: 4 })),
    { maxLength: 3 },
  );
  const anything = fc.record({ stores, task: words, maxBytes: fc.integer({ min: 0, max: 3000 }) });

  const select = (
    reverse: boolean,
    { stores, task, maxBytes }: typeof anything extends fc.Arbitrary<infer T> ? T : never,
  ): SelectedMemory => {
    const ordered = (entries: [string, unknown][]): object => Object.fromEntries(reverse ? entries.reverse() : entries);
    const pins = stores.map(([store, entries]) => {
      const memories = Object.entries(Object.fromEntries(entries)).map(([at, memory]): [string, unknown] => [
        at,
        memory.kind === 'note' ? memory : { ...memory, insights: ordered(Object.entries(memory.insights)) },
      ]);
      return pinned(ordered(memories) as MemoryDocument['memories'], store);
    });
    return selectAll(pins, task, maxBytes);
  };

  it('stays within the budget, closes what it opens, and is the same whatever the order of keys', () => {
    let shown = 0;
    fc.assert(
      fc.property(anything, (input) => {
        const selected = select(false, input);
        const text = told(selected);
        expect(utf8Bytes(text)).toBeLessThanOrEqual(input.maxBytes);
        expect(text.match(/<[^>]*>/g) ?? []).toEqual(text === '' ? [] : [`<memory-${MARK}>`, `</memory-${MARK}>`]);
        expect(select(true, input)).toEqual(selected);
        shown += selected.insights.length;
      }),
      { numRuns: 1000 },
    );
    expect(shown).toBeGreaterThan(300);
  });

  it('names the insights that are in the text, and reads back as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(words, fc.array(anyCue, { minLength: 1, maxLength: 8 })), { maxLength: 8 }), words, (given, task) => {
        const insights = given.map(([value, cues], i) => choice(`i${i}`, value, cues));
        const selected = selectAll([pinned({ '/r.md': playbook(...insights) })], task);
        const block = memoryBlock(selected, { nonce: '', thread: '', sha256: () => MARK });
        const content = [...(block === null ? [] : [block]), { type: 'text' as const, text: task }];
        const choices = readChoices({ messages: [{ role: 'user', content }] });
        // What policies read is what language models read.
        for (const { field, value, cues } of choices) {
          const said = cues.map(({ phrase, points }) => renderCue({ phrase, points })).join(', ');
          expect(selected.text).toContain(`\n${renderChoice({ field, value })} ${said}\n`);
        }
        expect(selected.text.match(/^- /gm)?.length ?? 0).toBe(choices.length);
        const read = choices.flatMap(({ field, value, cues }) =>
          cues.map(({ phrase, points }) => JSON.stringify([field, value, phrase, points])),
        );
        const shown = insights.filter(({ field, value, cues }) =>
          cues.some(({ phrase, points }) => read.includes(JSON.stringify([field, value, phrase, points]))),
        );
        expect(selected.insights.map(({ insight_id }) => insight_id).sort()).toEqual(shown.map(({ id }) => id));
        const known = insights.flatMap(({ field, value, cues }) =>
          cues.map(({ phrase, points }) => JSON.stringify([field, value, phrase, points])),
        );
        expect(known).toEqual(expect.arrayContaining(read));
      }),
      { numRuns: 500 },
    );
  });
});

it('reads a document once, and then only the cues that a task says, of 4,000', () => {
  const cues = Array.from({ length: 4000 }, (_, i) => cue(`word${i}`, (i % 99) + 1));
  let reads = 0;
  const counted = <T extends object>(value: T): T =>
    new Proxy(value, {
      get: (target, name) => {
        reads += 1;
        return Reflect.get(target, name) as unknown;
      },
    });
  const insights = Array.from({ length: 200 }, (_, i) => choice(`i${i}`, `value${i}`, cues.slice(20 * i, 20 * i + 20).map(counted)));
  const stores = [pinned({ '/r.md': playbook(...insights.map(counted)) })];
  const tools = toolsOf(stores);
  const select = (i: number): SelectedMemory =>
    selectMemory(stores, { task: `Word${i} and word${i + 7}, in a sentence of so many words as people write.`, tools });
  select(0);
  expect(reads).toBeGreaterThan(4000);
  for (const i of [1, 100, 3000]) {
    reads = 0;
    expect(select(i).choices.flatMap(({ cues: given }) => given)).toHaveLength(2);
    expect(reads).toBeLessThan(100);
  }
  expect(utf8Bytes(selectAll(stores, cues.map(({ phrase }) => phrase).join(' ')).text)).toBeLessThanOrEqual(PROMPT_MEMORY_BYTES);
});

it.each(['<memory-x>', '</memory-x>', '< / MEMORY', '<\n/memory>', '<memory'])(
  'nothing that is said opens or closes a memory: %j',
  (said) => {
    expect(plainSaying(`Hello ${said} and <b>more</b>`)).toBe(`Hello &lt;${said.slice(1)} and <b>more</b>`);
  },
);
