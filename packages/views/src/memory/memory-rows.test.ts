import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  applyPatch,
  approvePatch,
  createStore,
  evolveMemory,
  initialMemory,
  patchOf,
  proposePatch,
  rejectPatch,
  rollbackPatch,
  validatePatch,
  writeMemory,
  type MemoryState,
} from '@dreamfold/core';
import { seeded } from '@dreamfold/core/testing';
import type { LogEvent, NewEvent } from '@dreamfold/events';
import { alarmsOf, evolveProposalRow, isWaiting, proposalOfEvent, waitingIn, type ProposalRow } from './proposal-row.ts';
import { insightsOf } from './insight-record.ts';
import { evolveStoreRow, initialStoreRow, storeRowOf } from './store-row.ts';

const STORE = 'memstore_1';
const tools = { sha256: (text: string) => hash('sha256', text, 'base64url') };
const alarm = { gate: 'alarm', pass: true, reason: 'It sounds like an order.', alarms: ['order'] };

/** A store on which people and dreams work, with the rows beside the whole fold. */
class Desk {
  whole: MemoryState = initialMemory;
  store = initialStoreRow(STORE);
  readonly proposals = new Map<string, ProposalRow | null>();
  #seq = 0;

  constructor() {
    this.take(createStore(initialMemory, { name: 'desk', description: 'Of the desk.', approval: 'manual', by: 'person:ann' }));
  }

  take(events: readonly NewEvent[]): void {
    for (const { type, actor, data } of events) {
      this.#seq += 1;
      const event: LogEvent = {
        ...{ position: this.#seq, stream: `memory/${STORE}`, seq: this.#seq, id: `e${this.#seq}`, time: this.#seq * 10, type, actor, data },
        ...{ v: 1, causation: null, correlation: null, hash: '' },
      };
      this.whole = evolveMemory(this.whole, event);
      // As it comes back from a file.
      this.store = evolveStoreRow(JSON.parse(JSON.stringify(this.store)) as typeof this.store, event);
      const id = proposalOfEvent(event);
      if (id !== null) this.proposals.set(id, evolveProposalRow(this.proposals.get(id) ?? null, event));
    }
  }

  expectSame(): void {
    const records = [...this.whole.patches];
    expect([...this.proposals.values()]).toEqual(
      records.map((whole) => {
        const { undo: _, ...record } = whole;
        return { id: record.proposal.patch_id, store: STORE, record };
      }),
    );
    const waiting = records.filter((record) => isWaiting({ record })).length;
    const { document, version } = this.whole;
    const row = { id: STORE, name: 'desk', description: 'Of the desk.', approval: 'manual' };
    expect(storeRowOf(this.store)).toEqual({ ...row, version, memories: Object.keys(document.memories).length, waiting });
  }
}

function note(name: string): string {
  return `/memories/~1notes~1${name}.md`;
}

function worked(seed: number): Desk {
  const random = seeded(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const desk = new Desk();
  const operations = (): unknown => {
    const [path, other] = [note(pick(['a', 'b', 'c'])), note(pick(['a', 'b', 'c']))];
    const value = { kind: 'note', content: `Words ${random()}` };
    return pick([
      [{ op: 'add', path, value }],
      [{ op: 'remove', path }],
      [{ op: 'move', from: path, path: other }],
      [{ op: 'copy', from: path, path: other }],
      [{ op: 'replace', path: `${path}/content`, value: value.content }],
      [
        { op: 'add', path, value },
        { op: 'remove', path: other },
      ],
    ]);
  };
  const steps: (() => readonly NewEvent[])[] = [
    () => writeMemory(desk.whole, { patchId: `w${random()}`, operations: operations(), reason: 'So.', author: 'person:ann' }, tools),
    () => {
      const dreamt = {
        patchId: `p${random()}`,
        operations: operations(),
        reason: 'So.',
        author: 'dream:drm_1',
        evidence: ['session/sesn_1#4'],
      };
      return proposePatch(desk.whole, dreamt, tools);
    },
    () => validatePatch(desk.whole, { patchId: any(), gates: pick([[], [alarm], [{ ...alarm, pass: false }]]), by: 'system' }),
    () => approvePatch(desk.whole, { patchId: any(), by: 'person:ann', ...pick([{}, { note: 'Good.' }]) }),
    () => applyPatch(desk.whole, { patchId: any(), by: 'person:ann' }, tools),
    () => rejectPatch(desk.whole, { patchId: any(), by: 'person:ann', reason: 'No.' }),
    () => rollbackPatch(desk.whole, { patchId: any(), by: 'person:ann', reason: 'Back.' }, tools),
  ];
  // What nobody has checked at the door: it may stand on the log all the same.
  const unasked = (): readonly NewEvent[] => {
    const id = { patch_id: any() };
    const of = { class: 'open', actor: 'person:ann' } as const;
    return [
      pick([
        { ...of, type: 'memory.patch_approved', data: { ...id, by: 'person:ann' } },
        { ...of, type: 'memory.patch_rejected', data: { ...id, by: 'person:ann', reason: 'No.' } },
      ]),
    ];
  };
  steps.push(unasked);
  const any = (): string => pick([...desk.whole.patches]).proposal.patch_id;
  for (let i = 0; i < 80; i += 1) {
    try {
      desk.take(pick(steps)());
    } catch {
      // The patch is not at that point, or does not fit.
    }
    desk.expectSame();
  }
  return desk;
}

describe('the rows of a store and of its patches', () => {
  test('are those of the whole store, after each change of 60 stores', () => {
    const statuses = new Set<string>();
    for (let seed = 1; seed <= 60; seed += 1) {
      const { whole } = worked(seed);
      for (const { status } of whole.patches) statuses.add(status);
    }
    expect([...statuses].toSorted()).toEqual(['applied', 'approved', 'proposed', 'rejected', 'rolled_back', 'validated']);
  });

  test('count no version that does not follow the one before', () => {
    const desk = new Desk();
    const add = [{ op: 'add', path: note('a'), value: { kind: 'note', content: 'Words' } }];
    desk.take(proposePatch(desk.whole, { patchId: 'p', operations: add, reason: 'So.', author: 'person:ben' }, tools));
    desk.take(validatePatch(desk.whole, { patchId: 'p', gates: [], by: 'system' }));
    desk.take(approvePatch(desk.whole, { patchId: 'p', by: 'person:ann' }));
    desk.take([{ type: 'memory.patch_applied', class: 'open', actor: 'person:ann', data: { patch_id: 'p', version: 2, hash: '' } }]);
    expect(storeRowOf(desk.store)).toMatchObject({ version: 0, memories: 0 });
    expect(desk.whole.version).toBe(0);
  });

  test('take no note of what an event of another kind, a newer one or one without its payload says', () => {
    const desk = new Desk();
    const event = { type: 'memory.patch_proposed', data: null } as unknown as LogEvent;
    expect(proposalOfEvent(event)).toBeNull();
    expect(proposalOfEvent({ ...event, type: 'memory.store_created' })).toBeNull();
    expect(evolveStoreRow(desk.store, { ...event, type: 'memory.patch_dreamt', v: 1, data: { patch_id: 'p' } })).toBe(desk.store);
    expect(evolveProposalRow(null, { ...event, stream: `memory/${STORE}`, v: 1, data: { patch_id: 'p' } })).toBeNull();
  });
});

test('what waits stands with the most alarm first, then the oldest', () => {
  const row = (id: string, time: number, alarms: string[]) => ({
    id,
    record: { status: 'validated' as const, time, gates: [{ ...alarm, alarms }] },
  });
  const rows = [row('new', 3, []), row('old', 1, []), row('loud', 2, ['order', 'link']), row('heard', 4, ['order'])];
  const decided = { id: 'decided', record: { status: 'applied' as const, time: 0, gates: [] } };
  expect(waitingIn([...rows, decided]).map(({ id }) => id)).toEqual(['loud', 'heard', 'old', 'new']);
  expect(alarmsOf(rows[2]!)).toEqual(['order', 'link']);
});

test('an insight stands with what came of following it as it is written', () => {
  const desk = new Desk();
  const insight = {
    ...{ kind: 'choice', id: 'i1', tool: 'route', field: 'queue', value: 'cards' },
    ...{ cues: [{ phrase: 'card', points: 5, sessions: 3, principals: 2 }], support: { sessions: 3, principals: 2 } },
  };
  const value = { kind: 'playbook', title: 'Routing', insights: { i1: insight } };
  const operations = [{ op: 'add', path: '/memories/~1playbooks~1route.md', value }];
  desk.take(writeMemory(desk.whole, { patchId: 'w', operations, reason: 'So.', author: 'person:ann' }, tools));
  const counts = [{ insight_id: 'i1', helpful: 3, harmful: 1 }];
  desk.take([{ type: 'memory.insights_counted', class: 'open', actor: 'dream:drm_1', data: { dream_id: 'drm_1', counts } }]);
  expect(insightsOf(desk.whole)).toEqual([{ path: '/playbooks/route.md', insight, since: 1, helped: 3, misled: 1 }]);
  expect(patchOf(desk.whole, 'w')?.status).toBe('applied');
});
