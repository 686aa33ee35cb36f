import { streamOf } from '@dreamfold/events';
import type { Suggestion } from '@dreamfold/dreaming';
import { openMemoryLog, type Log } from '@dreamfold/log';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Dreamer, type DreamReport } from './dreamer.ts';
import { MemoryKeeper } from '../memory/memory-keeper.ts';
import { QUEUES, routeTicket } from '../testing/routed-sessions.ts';

let log: Log;
let dreamer: Dreamer;
/** Feedback on three sessions of three principals, which all say `refund`. */
const refs: string[] = [];

beforeAll(async () => {
  log = openMemoryLog();
  const memory = new MemoryKeeper(log);
  dreamer = new Dreamer(log, memory);
  await memory.create({ name: 'desk', description: '', approval: 'auto' }, 'person:ann');
  for (const [i, who] of ['ann', 'bob', 'cem'].entries()) {
    const { id } = await routeTicket(log, [who, 'billing', `refund number${'abc'[i]}`], { queues: QUEUES });
    refs.push(`session/${id}#5`);
  }
});

const dream = (suggestions: unknown): Promise<DreamReport> => dreamer.dream({ store: 'desk', suggestions: suggestions as Suggestion[] });

/** What the log says of each thing that was suggested: the gate that stopped it, with its reason and code. */
async function stoppedBy(suggestions: unknown): Promise<{ gate: string; reason: string; code: string | undefined }[]> {
  const { dreamId } = await dream(suggestions);
  const { insights, status } = await dreamer.load(dreamId);
  expect(status).toBe('completed');
  return insights.map(({ rejected }) => rejected!.at(-1)!).map(({ gate, reason, code }) => ({ gate, reason, code }));
}

const choice = () => ({ kind: 'choice', tool: 'route', field: 'queue', value: 'billing', cues: ['refund'], reason: 'r', evidence: refs });
const note = () => ({ kind: 'note', path: '/tone.md', content: 'Be brief.', reason: 'r', evidence: refs });
const deep = (levels: number): unknown => Array.from({ length: levels }).reduce((inner) => [inner], 1 as unknown);
const cyclic = (): unknown => {
  const one: Record<string, unknown> = note();
  one['reason'] = one;
  return one;
};

describe('what is no suggestion', () => {
  it.each<[string, () => unknown, string]>([
    ['a number', () => 7, 'invalid_argument'],
    ['null', () => null, 'invalid_argument'],
    ['undefined', () => undefined, 'invalid_argument'],
    ['an unknown kind', () => ({ ...note(), kind: 'order' }), 'invalid_argument'],
    ['a choice without cues', () => ({ ...choice(), cues: undefined }), 'invalid_argument'],
    ['cues that are one text', () => ({ ...choice(), cues: 'refund' }), 'invalid_argument'],
    ['a cue that is a number', () => ({ ...choice(), cues: [1] }), 'invalid_argument'],
    ['evidence that is a number', () => ({ ...note(), evidence: 5 }), 'invalid_argument'],
    ['evidence of objects', () => ({ ...note(), evidence: [{}] }), 'invalid_argument'],
    ['evidence without end', () => ({ ...note(), evidence: Array.from({ length: 1001 }, () => refs[0]) }), 'invalid_argument'],
    [
      'a field that nobody knows, of 300 KB',
      () => ({ ...note(), [`${'x'.repeat(8)}${'\u{1f600}'.repeat(75_000)}`]: 1 }),
      'invalid_argument',
    ],
    ['half of a surrogate pair', () => ({ ...choice(), tool: 'r\ud800' }), 'invalid_text'],
    ['a NUL', () => ({ ...note(), content: 'a\0b' }), 'invalid_text'],
    ['a key that reaches a prototype', () => JSON.parse('{"kind":"note","__proto__":{}}') as unknown, 'forbidden_key'],
    ['a depth of 100', () => ({ ...note(), reason: deep(100) }), 'json_too_deep'],
    ['a depth of 100,000', () => deep(100_000), 'json_too_deep'],
    ['a cycle', cyclic, 'json_too_deep'],
    ['a function', () => () => 1, 'invalid_argument'],
  ])('%s is stopped by the gate shape, with its reason on the log', async (_what, malformed, code) => {
    const [first, second, ...more] = await stoppedBy([malformed(), 'also none']);
    expect([first, second]).toMatchObject([
      { gate: 'shape', code },
      { gate: 'shape', code: 'invalid_argument' },
    ]);
    expect(first!.reason).toMatch(/^.{1,300}$/);
    expect(first!.reason.isWellFormed()).toBe(true);
    expect(more).toEqual([]);
  });

  it('is also a hole in the array', async () => {
    const holes: unknown[] = [];
    holes[2] = 7;
    expect((await stoppedBy(holes)).map(({ gate }) => gate)).toEqual(['shape', 'shape', 'shape']);
  });

  it('is also what is no array', async () => {
    expect(await stoppedBy({ kind: 'note' })).toEqual([
      { gate: 'shape', reason: 'It is no array of suggestions.', code: 'invalid_argument' },
    ]);
  });

  it.each<[string, () => object, string]>([
    ['a path that is none', () => ({ path: '../x' }), 'invalid_path'],
    ['no path', () => ({ path: '' }), 'invalid_path'],
    ['a path without end', () => ({ path: `/${'x/'.repeat(50_000)}y` }), 'invalid_path'],
    ['a place among the playbooks of dreams', () => ({ path: '/playbooks/recoveries-7.md' }), 'path_conflict'],
    ['the folder of the playbooks, in other letters', () => ({ path: '/PlayBooks' }), 'path_conflict'],
    ['a megabyte', () => ({ content: 'x '.repeat(500_000) }), 'text_too_long'],
  ])('a note with %s is stopped by the gate shape', async (_what, change, code) => {
    expect(await stoppedBy([{ ...note(), ...change() }])).toMatchObject([{ gate: 'shape', code }]);
  });

  it('leaves what stands beside it as it is', async () => {
    const { insights } = await dream([7, note(), null]);
    expect(insights.map(({ status }) => status)).toEqual(['rejected', 'validated', 'rejected']);
  });

  it('whatever it is, fails no dream, and each thing has its verdict', async () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'x'.repeat(70_000), '\ud800'));
    const path = fc.oneof(text, fc.constantFrom('/a', '/a/b', '/A', '/playbooks/choices.md', '/playbooks', '/tone.md', '/../x', '/a//b'));
    const evidence = fc.array(fc.oneof(fc.constantFrom('session/sesn_x#1', 'session/a#99999999999999999999', ''), text));
    const cited = fc
      .oneof(
        evidence,
        evidence.map((more) => [...refs, ...more]),
      )
      .map((all) => (all.length > 2 ? all : refs));
    const cues = fc.array(fc.oneof(text, fc.constantFrom('refund', 'number', 'refund number')), { maxLength: 4 });
    const value = fc.oneof(text, fc.constantFrom(...QUEUES));
    const good = fc.oneof(
      fc.record({ kind: fc.constant('note'), path, content: text, reason: text, evidence: cited }),
      fc.record({
        kind: fc.constant('choice'),
        tool: fc.oneof(fc.constant('route'), text),
        field: fc.oneof(fc.constant('queue'), text),
        value,
        cues,
        reason: text,
        evidence: cited,
      }),
    );
    const keys = ['kind', 'tool', 'field', 'value', 'cues', 'path', 'content', 'reason', 'evidence', 'more'];
    const spoilt = fc.tuple(good, fc.constantFrom(...keys), fc.jsonValue()).map(([one, key, other]) => ({ ...one, [key]: other }));
    const suggestion = fc.oneof(good, spoilt, fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.array(suggestion, { maxLength: 5 }), fc.jsonValue()), async (suggestions) => {
        const wanted = Array.isArray(suggestions) ? suggestions.length : suggestions === null ? 0 : 1;
        const { dreamId, insights } = await dream(suggestions);
        expect(insights.filter(({ reason }) => reason.startsWith('Somebody suggests'))).toHaveLength(wanted);
        expect((await dreamer.load(dreamId)).status).toBe('completed');
      }),
      { numRuns: 300 },
    );
    for await (const streams of log.streams('dream')) {
      for (const { stream } of streams) expect((await dreamer.load(stream.slice(streamOf('dream', '').length))).status).toBe('completed');
    }
  });
});
