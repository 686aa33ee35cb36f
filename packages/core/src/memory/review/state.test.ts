import { createHash } from 'node:crypto';
import { CATALOGUE, isDreamfoldError, type ChoiceInsight, type EventType, type LogEvent, type NewEvent } from '@dreamfold/events';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { emptyStore, evolveNew, written } from '../../testing/given-memory.ts';
import { blame } from './blame.ts';
import { canonicalJson } from '../document/canonical-json.ts';
import { approvePatch, applyPatch, proposePatch, rejectPatch, rollbackPatch, validatePatch, writeMemory } from './commands.ts';
import { documentHash } from '../document/document.ts';
import { documentAt, evolveMemory, initialMemory, patchOf, type MemoryState } from './state.ts';
import { versionsOf } from './versions.ts';

const tools = { sha256: (text: string): string => createHash('sha256').update(text).digest('base64url') };
const MEMORY_EVENTS = Object.keys(CATALOGUE).filter((type) => type.startsWith('memory.')) as EventType[];
const paths = ['/a', '/b', '/c/d', '/p'];
const pointer = fc.constantFrom(...paths).map((path) => `/memories/${path.replaceAll('/', '~1')}`);
const note = fc.string({ maxLength: 3 }).map((content) => ({ kind: 'note', content }));
const insight = fc.record({ id: fc.constantFrom('i1', 'i2'), value: fc.string({ maxLength: 3 }) }).map(({ id, value }) => {
  const support = { sessions: 3, principals: 2 };
  return { kind: 'choice', id, tool: 't', field: 'f', value, cues: ['cue'], support };
});
const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('add'), path: pointer, value: note }) },
  fc.record({ op: fc.constantFrom('add', 'replace'), path: pointer.map((at) => `${at}/content`), value: fc.string({ maxLength: 3 }) }),
  fc.record({ op: fc.constant('remove'), path: pointer }),
  fc.record({ op: fc.constant('move'), from: pointer, path: pointer }),
  fc.constant({ op: 'add', path: '/memories/~1p', value: { kind: 'playbook', title: 'P', insights: {} } }),
  insight.map((value) => ({ op: 'add', path: `/memories/~1p/insights/${value.id}`, value })),
  fc.constantFrom('i1', 'i2').map((id) => ({ op: 'remove', path: `/memories/~1p/insights/${id}` })),
);
const patch = fc.array(operation, { minLength: 1, maxLength: 2 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), operations: patch }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('propose' as const), operations: patch }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('apply' as const, 'reject' as const, 'rollback' as const), nth: fc.nat(4) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What a step comes to in a state; a refused one comes to nothing. */
function eventsOf(state: MemoryState, step: Step, i: number): NewEvent[] {
  const by = 'person:bob';
  try {
    if ('operations' in step) {
      const input = { patchId: `p${i}`, operations: step.operations, reason: 'r', author: 'person:ann' };
      if (step.do === 'write') return writeMemory(state, input, tools);
      const proposed = proposePatch(state, input, tools);
      return [...proposed, ...validatePatch(evolveNew(state, proposed), { patchId: `p${i}`, gates: [], by })];
    }
    const patchId = [...state.patches].at(-1 - step.nth)?.proposal.patch_id ?? 'none';
    if (step.do === 'rollback') return rollbackPatch(state, { patchId, by, reason: 'r' }, tools);
    if (step.do === 'reject') return rejectPatch(state, { patchId, by, reason: 'r' });
    const approved = approvePatch(state, { patchId, by });
    return [...approved, ...applyPatch(evolveNew(state, approved), { patchId, by }, tools)];
  } catch (error) {
    if (isDreamfoldError(error)) return [];
    throw error;
  }
}

describe('any course of commands', () => {
  it('leads to documents whose hashes are on the log, at every version; a rollback restores byte for byte', () => {
    let versions = 0;
    let rollbacks = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) => {
        let state = emptyStore();
        const states = [state];
        for (const [i, each] of steps.entries()) {
          const events = eventsOf(state, each, i);
          const before = canonicalJson(state.document);
          const next = evolveNew(state, events, i);
          expect(canonicalJson(state.document)).toBe(before);
          if (next.version > state.version) {
            states.push(next);
            const undone = next.history.at(-1)!;
            // The newest change taken back: the document is the one before it, byte for byte.
            if (undone.change === 'rolled_back' && state.history.at(-1)!.patchId === undone.patchId) {
              expect(canonicalJson(next.document)).toBe(canonicalJson(states.at(-3)!.document));
              rollbacks += 1;
            }
          }
          state = next;
        }
        versions += state.version;
        for (const made of states) {
          expect(documentHash(made.document, tools.sha256)).toBe(made.hash);
          expect(canonicalJson(documentAt(state, made.version))).toBe(canonicalJson(made.document));
        }
        expect(versionsOf(state)).toHaveLength(state.version);
        for (const { path, origin } of blame(state)) {
          expect(path in state.document.memories).toBe(true);
          expect(origin === null || patchOf(state, origin.patchId)!.status === 'applied').toBe(true);
        }
      }),
      { numRuns: 600 },
    );
    expect(versions).toBeGreaterThan(1000);
    expect(rollbacks).toBeGreaterThan(30);
  });

  it('can be taken back to any point, newest first', () => {
    fc.assert(
      fc.property(fc.array(patch, { minLength: 3, maxLength: 12 }), fc.nat(), (patches, at) => {
        const states = [emptyStore()];
        for (const [i, operations] of patches.entries()) {
          const state = states.at(-1)!;
          const events = eventsOf(state, { do: 'write', operations }, i);
          if (events.length > 0) states.push(evolveNew(state, events));
        }
        const target = states[at % states.length]!;
        let state = states.at(-1)!;
        for (const { patchId } of states.at(-1)!.history.slice(target.version).toReversed()) {
          state = evolveNew(state, rollbackPatch(state, { patchId, by: 'person:ann', reason: 'r' }, tools));
        }
        expect(canonicalJson(state.document)).toBe(canonicalJson(target.document));
        expect(state.hash).toBe(target.hash);
      }),
      { numRuns: 500 },
    );
  });
});

it('knows the document at every one of 200 versions', () => {
  let state = written(emptyStore(), [{ op: 'add', path: '/memories/~1a', value: { kind: 'note', content: '1' } }], tools);
  for (let i = 2; i <= 200; i += 1) state = written(state, [{ op: 'replace', path: '/memories/~1a/content', value: `${i}` }], tools);
  for (let i = 1; i <= 200; i += 1) expect(documentAt(state, i)?.memories['/a']).toEqual({ kind: 'note', content: `${i}` });
});

describe('folding is total', () => {
  const full = written(emptyStore(), [{ op: 'add', path: '/memories/~1a', value: { kind: 'note', content: 'one' } }], tools);
  const logged = (type: string, data: unknown, v = 1): LogEvent => {
    const place = { position: 1, stream: 'memory/memstore_1', seq: 1, id: 'e', time: 1, causation: null, correlation: null, hash: '' };
    return { ...place, v, type, actor: 'x', data };
  };

  it('an event that is nonsense changes nothing, and what follows folds as if it were not there', () => {
    const id = fc.constantFrom('w1', 'p9', '__proto__', 'toString', '');
    const fields = fc.record(
      {
        patch_id: fc.oneof(id, fc.anything()),
        version: fc.oneof(fc.integer(), fc.anything()),
        hash: fc.anything(),
        operations: fc.oneof(fc.array(fc.anything(), { maxLength: 3 }), fc.anything()),
        inverse: fc.constant([]),
        gates: fc.anything(),
        by: fc.anything(),
        name: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const type = fc.oneof(fc.constantFrom(...MEMORY_EVENTS), fc.constantFrom('session.created', 'no.such_event', '__proto__', ''));
    fc.assert(
      fc.property(type, fc.oneof(fields, fc.anything()), fc.constantFrom(1, 2, 99), (kind, data, v) => {
        for (const state of [initialMemory, full]) expect(evolveMemory(state, logged(kind, data, v))).toBe(state);
      }),
      { numRuns: 3000 },
    );
  });

  it('an erased payload is passed over', () => {
    for (const type of MEMORY_EVENTS) expect(evolveMemory(full, logged(type, null))).toBe(full);
  });

  it('a well-formed event out of turn changes nothing', () => {
    const turn: [EventType, unknown][] = [
      ['memory.store_created', { name: 'other', description: '', approval: 'auto' }],
      ['memory.patch_validated', { patch_id: 'w1', gates: [] }],
      ['memory.patch_approved', { patch_id: 'w1', by: 'x' }],
      ['memory.patch_rejected', { patch_id: 'w1', by: 'x', reason: 'r' }],
      ['memory.patch_applied', { patch_id: 'w1', version: 2, hash: 'h' }],
      ['memory.patch_rolled_back', { patch_id: 'w1', version: 3, hash: 'h', by: 'x', reason: 'r' }],
    ];
    for (const [type, data] of turn) expect(evolveMemory(full, logged(type, data))).toBe(full);
  });
});

describe('an insight', () => {
  const choice = (id: string, points: number): ChoiceInsight => ({
    kind: 'choice',
    id,
    tool: 'route',
    field: 'queue',
    value: 'billing',
    cues: [{ phrase: 'refund', points, sessions: 3, principals: 3 }],
    support: { sessions: 3, principals: 3 },
  });
  const page = (...insights: ChoiceInsight[]): unknown => ({
    kind: 'playbook',
    title: 'Routing',
    insights: Object.fromEntries(insights.map((one) => [one.id, one])),
  });
  const counted = (state: MemoryState): MemoryState =>
    evolveNew(state, [
      {
        type: 'memory.insights_counted',
        data: { dream_id: 'drm_1', counts: ['a', 'b'].map((insight_id) => ({ insight_id, helpful: 1, harmful: 0 })) },
        class: 'open',
        actor: 'dream:drm_1',
      },
    ]);
  const start = counted(
    written(emptyStore(), [{ op: 'add', path: '/memories/~1r.md', value: page(choice('a', 9), choice('b', 9)) }], tools),
  );
  const writtenAt = (state: MemoryState): unknown[] => ['a', 'b'].map((id) => state.written.get(id));
  const countsOf = (state: MemoryState): string[] => [...state.counts.keys()];

  it('that is written with its page is written, and counted, like one that is written by itself', () => {
    expect(writtenAt(start)).toEqual([1, 1]);
    expect(countsOf(start)).toEqual(['a', 'b']);
  });

  it.each([
    ['the page', { op: 'replace', path: '/memories/~1r.md', value: page(choice('a', 9), choice('b', 12)) }],
    ['the insights of the page', { op: 'replace', path: '/memories/~1r.md/insights', value: { a: choice('a', 9), b: choice('b', 12) } }],
    ['the insight', { op: 'replace', path: '/memories/~1r.md/insights/b', value: choice('b', 12) }],
    ['a field of it', { op: 'replace', path: '/memories/~1r.md/insights/b/cues/0/points', value: 12 }],
  ])('is counted anew when %s is written with another wording, and no other one is', (_what, operation) => {
    const after = written(start, [operation], tools);
    expect(writtenAt(after)).toEqual([1, 2]);
    expect(countsOf(after)).toEqual(['a']);
  });
});

it('makes as little anew with the last of 8,000 events as with the first: 400 notes, 2,000 patches', () => {
  const events: NewEvent[] = [];
  let state = emptyStore();
  for (let i = 0; i < 2000; i += 1) {
    const operations = [
      { op: i < 400 ? 'add' : 'replace', path: `/memories/~1notes~1${i % 400}`, value: { kind: 'note', content: `${i}` } },
    ];
    const made = writeMemory(state, { patchId: `patch_${i}`, operations, reason: 'r', author: 'person:ann' }, tools);
    state = evolveNew(state, made);
    events.push(...made);
  }
  expect(events).toHaveLength(8000);
  // A map that were copied for each event would have all its entries set.
  const sets = vi.spyOn(Map.prototype, 'set');
  const states = [emptyStore()];
  const setsOf = (from: number, to: number): number => {
    sets.mockClear();
    for (const event of events.slice(from, to)) states.push(evolveNew(states.at(-1)!, [event]));
    return sets.mock.calls.length;
  };
  const [early, late] = [setsOf(0, 4000), setsOf(4000, 8000)];
  expect(late).toBeLessThan(1.1 * early);
  sets.mockRestore();
  expect(states.at(-1)!.hash).toBe(state.hash);
  const partsOf = ({ patches, history, document: { memories } }: MemoryState): unknown[] => [
    ...patches,
    ...history,
    ...Object.values(memories),
  ];
  for (const at of [1, 2000, 4000, 8000]) {
    const before = new Set(partsOf(states[at - 1]!));
    const isNew = partsOf(states[at]!).filter((part) => !before.has(part));
    // Of a patch that is applied: its record, the version, and the note.
    expect(isNew.length).toBeLessThanOrEqual(3);
  }
});
