import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Episode } from '../episodes/episode.ts';
import { Knowledge, learn, newKnowledge } from './knowledge.ts';
import { newCounts, type StoredValues } from './outcomes.ts';
import { proposeChoices, type ChoiceDraft } from './propose-choices.ts';
import { findings } from './refine.ts';
import { NOTHING_TOLD } from './standing.ts';
import { QUEUES, episode } from '../testing/tickets.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
const memory = { store: 'memstore_1', stored: new Map() };

const proposed = (knowledge: Knowledge): ChoiceDraft[] => proposeChoices([...knowledge.learners.values()], sha256);

function folded(...dreams: (readonly Episode[])[]): Knowledge {
  const knowledge = newKnowledge();
  for (const episodes of dreams) {
    for (const one of episodes) learn(knowledge, one, memory);
    proposed(knowledge);
  }
  return knowledge;
}

/** A ticket as it is judged first and, when somebody has thought again, last: null takes the label back. */
interface Judged {
  principal: number;
  words: number[];
  first: string;
  last: string | null;
}
const label = fc.constantFrom(...QUEUES);
const tickets: fc.Arbitrary<Judged[]> = fc.array(
  fc
    .record({
      principal: fc.nat(8),
      words: fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }),
      first: label,
      again: label,
      how: fc.nat(5),
    })
    .map(({ how, again, ...ticket }) => ({ ...ticket, last: how === 0 ? null : how < 3 ? again : ticket.first })),
  { minLength: 20, maxLength: 60 },
);
const read = ({ principal, words }: Judged, right: string | null, i: number): Episode => {
  const one = episode([`p${principal}`, right, words.map((word) => `word${'abcdefg'[word]}`).join(' ')], i);
  // A label that was given later is another event.
  return { ...one, decisions: one.decisions.map((d) => ({ ...d, evidence: d.evidence.map((ref) => ref.replace('#9', `#${right}`)) })) };
};

describe('a label that is corrected after it was learnt from', () => {
  it('is unlearnt: what is known is what the corrected log gives from the start, cue by cue and with the same evidence', () => {
    let moved = 0;
    fc.assert(
      fc.property(tickets, fc.nat(60), (judged, cut) => {
        const first = judged.map((ticket, i) => read(ticket, ticket.first, i));
        const last = judged.map((ticket, i) => read(ticket, ticket.last, i));
        const changed = last.filter((_, i) => judged[i]!.last !== judged[i]!.first);
        const straight = proposed(folded(last));
        expect(proposed(folded(first, changed))).toEqual(straight);
        // Some are corrected while later sessions have not been read yet.
        const early = changed.filter(({ session }) => session < last[Math.min(cut, last.length - 1)]!.session);
        expect(proposed(folded(first.slice(0, cut), early, [...first.slice(cut), ...changed]))).toEqual(straight);
        if (JSON.stringify(proposed(folded(first))) !== JSON.stringify(straight)) moved += 1;
      }),
      { numRuns: 200 },
    );
    expect(moved).toBeGreaterThan(10);
  });

  it('and back again leaves no trace', () => {
    fc.assert(
      fc.property(tickets, (judged) => {
        const first = judged.map((ticket, i) => read(ticket, ticket.first, i));
        const last = judged.map((ticket, i) => read(ticket, ticket.last, i));
        expect(proposed(folded(first, last, first))).toEqual(proposed(folded(first)));
      }),
      { numRuns: 100 },
    );
  });

  it('makes the next look due, however little is new, and is paid for once for all corrections', () => {
    const many = Array.from({ length: 200 }, (_, i) => episode([`p${i % 9}`, QUEUES[i % 3]!, `word${'abcdef'[i % 6]} ${'xyz'[i % 3]}`], i));
    const knowledge = folded(many);
    const due = (): boolean => knowledge.isDue;
    expect(due()).toBe(false);
    learn(knowledge, many[0]!, memory);
    expect(due()).toBe(false);
    const before = knowledge.work.lessons;
    for (const i of [0, 1, 2]) learn(knowledge, episode(['p0', null, 'worda x'], i), memory);
    expect(due()).toBe(true);
    proposed(knowledge);
    expect(knowledge.work.lessons - before).toBe(197);
    expect(due()).toBe(false);
  });

  it('leaves nothing of the only label of a choice', () => {
    const few = [0, 1, 2, 3].map((i) => episode([`p${i}`, QUEUES[i % 2]!, `word${'ab'[i % 2]}`], i));
    const knowledge = folded(few);
    for (const one of few) learn(knowledge, { ...one, decisions: one.decisions.map((d) => ({ ...d, right: null })) }, memory);
    expect(knowledge.isDue).toBe(true);
    const [learner] = knowledge.learners.values();
    expect([learner!.lessons, learner!.pairs.size, learner!.voters.size]).toEqual([0, 0, 0]);
  });

  it('changes sides in the count of the insights that were followed', () => {
    const given = [{ store: 'memstore_1', insight_id: 'i1', version: 3 }];
    const stored: StoredValues = new Map([['i1', { tool: 'route', field: 'queue', value: 'account', version: 2 }]]);
    const knowledge = newKnowledge();
    const judge = (right: string | null, session: number, who: string): void => {
      const one = episode([who, right, 'words'], session);
      learn(knowledge, { ...one, decisions: one.decisions.map((d) => ({ ...d, given })) }, { store: 'memstore_1', stored });
    };
    const counted = (helpful: number, harmful: number): unknown => {
      const counts = new Map(helpful + harmful === 0 ? [] : [['i1', { helpful, harmful }] as const]);
      return newCounts(knowledge.outcomes, { counts, written: { get: () => 2 } as never }).map((one) => [one.helpful, one.harmful]);
    };
    judge('billing', 0, 'ann');
    judge('billing', 1, 'ann');
    judge('billing', 2, 'bob');
    judge('account', 3, 'cem');
    expect(counted(0, 0)).toEqual([[1, 2]]);
    judge('account', 0, 'ann');
    // One more decision of hers was misled.
    expect(counted(1, 2)).toEqual([[1, 0]]);
    judge('account', 1, 'ann');
    expect(counted(2, 2)).toEqual([[0, -1]]);
    judge(null, 2, 'bob');
    expect(counted(2, 1)).toEqual([[0, -1]]);
    expect([...knowledge.outcomes.get('i1')!.misled]).toEqual([]);
  });
});

describe('lessons that do not count like the rest', () => {
  const read = (knowledge: Knowledge, ...rows: [principal: string, how: Parameters<typeof episode>[2], session: number][]): unknown[] =>
    rows.map(([who, how, i]) => Object.fromEntries(learn(knowledge, episode([who, 'billing', 'refund please'], i, how), memory).uncounted));

  it('are counted by why, and once', () => {
    const knowledge = newKnowledge();
    const rows: Parameters<typeof read>[1][] = [
      ['ann', {}, 0],
      ['ann', {}, 1],
      ['bob', { authenticated: false }, 2],
      ['cem', { labeller: 'customer' }, 3],
    ];
    expect(read(knowledge, ...rows)).toEqual([{}, { duplicate: 1 }, { claimed_principal: 1 }, { customer_label: 1 }]);
    expect(read(knowledge, ...rows)).toEqual([{}, {}, {}, {}]);
  });

  it('a customer’s gives way to the desk’s, as if it had never been', () => {
    const knowledge = newKnowledge();
    for (const i of [0, 1, 2]) read(knowledge, [`p${i}`, { labeller: 'customer' }, i]);
    for (const i of [0, 1, 2]) read(knowledge, [`p${i}`, { labeller: 'desk' }, i]);
    const straight = newKnowledge();
    for (const i of [0, 1, 2]) read(straight, [`p${i}`, { labeller: 'desk' }, i]);
    expect(proposed(knowledge)).toEqual(proposed(straight));
    expect([...knowledge.learners.values()].map(({ by, lessons }) => `${by} ${lessons}`)).toEqual(['customers 0', 'trusted 3']);
  });

  it('a customer’s neither helps nor harms the insights that were followed', () => {
    const given = [{ store: 'memstore_1', insight_id: 'i1', version: 3 }];
    const stored: StoredValues = new Map([['i1', { tool: 'route', field: 'queue', value: 'account', version: 2 }]]);
    const outcomes = (labeller: 'customer' | 'desk'): number => {
      const knowledge = newKnowledge();
      const one = episode(['ann', 'billing', 'words'], 0, { labeller });
      learn(knowledge, { ...one, decisions: one.decisions.map((d) => ({ ...d, given })) }, { store: 'memstore_1', stored });
      return knowledge.outcomes.get('i1')?.harmful.size ?? 0;
    };
    expect([outcomes('desk'), outcomes('customer')]).toEqual([1, 0]);
  });
});

it('an error counts once, however often its session is read', () => {
  const error = {
    session: 's1',
    principal: 'p1',
    tool: 'find',
    signature: 'no customer',
    own: [],
    next: 'respond',
    evidence: 'session/s1#4',
  };
  const one: Episode = { ...episode(['p1', null, 'hello'], 1), errors: [error] };
  const knowledge = newKnowledge();
  for (let i = 0; i < 3; i += 1) learn(knowledge, one, memory);
  expect([...knowledge.recoveries.values()].map((byNext) => byNext.get('respond')!.length)).toEqual([1]);
});

it('errors make a look due, where nobody has labelled anything, and then when a tenth more have come', () => {
  const knowledge = newKnowledge();
  const failing = (n: number): Episode => {
    const { session, principal, ...one } = episode([`p${n % 3}`, null, 'words'], n);
    const point = { session, principal, tool: 'find', signature: 'gone', own: ['gone'], next: 'look', evidence: `session/${session}#4` };
    return { ...one, session, principal, decisions: [], errors: [point] };
  };
  expect(knowledge.isDue).toBe(false);
  for (let n = 0; n < 20; n += 1) learn(knowledge, failing(n), memory);
  expect(knowledge.isDue).toBe(true);
  expect(findings(knowledge, sha256, NOTHING_TOLD).map(({ finding }) => finding.kind)).toEqual(['recovery']);
  expect(knowledge.isDue).toBe(false);
  for (const n of [20, 21]) learn(knowledge, failing(n), memory);
  learn(knowledge, failing(3), memory);
  expect(knowledge.isDue).toBe(false);
  learn(knowledge, failing(22), memory);
  expect(knowledge.isDue).toBe(true);
});
