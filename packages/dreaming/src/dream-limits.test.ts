import { createHash } from 'node:crypto';
import { MAX_MEMORIES, writeMemory, type MemoryDocument, type MemoryState } from '@dreamfold/core';
import type { ChoiceInsight, Suggestion } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import type { DreamDecision } from './decide-insights.ts';
import { hasPassed } from './gates/judge.ts';
import { CHOICE_PLAYBOOK } from './playbook-pages.ts';
import { decideWith, dreamWith, episodes, fold, store, type Dreamt } from './testing/dream-desk.ts';
import { episode } from './testing/tickets.ts';
import { STALE_LESSONS } from './learn/propose-choices.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
const dream = (input: Dreamt = {}): DreamDecision => dreamWith(sha256, input);
const approved = (start: MemoryState, dreamt: DreamDecision): MemoryState => decideWith(sha256, { start, dreamt, how: 'approve' });

/** A store in which a person has written something, in as many patches as it takes. */
function withMemories(memories: MemoryDocument['memories']): MemoryState {
  const entries = Object.entries(memories);
  let state = store;
  for (let i = 0; i < entries.length; i += 4) {
    const operations = entries.slice(i, i + 4).map(([path, value]) => ({
      op: 'add',
      path: `/memories/${path.replaceAll('/', '~1')}`,
      value,
    }));
    state = fold(state, writeMemory(state, { patchId: `w${i}`, operations, reason: 'r', author: 'person:ann' }, { sha256 }));
  }
  return state;
}

/** Insights of a person, which say that refunds are for another queue; each of so many cues. */
function rivals(count: number, cues: number): ChoiceInsight[] {
  return Array.from({ length: count }, (_, i): ChoiceInsight => {
    const phrases = Array.from({ length: cues - 1 }, (__, k) => `word${k} ${'x'.repeat(60)}`);
    const all = ['refund', ...phrases].map((phrase) => ({ phrase, points: 5, sessions: 1, principals: 1 }));
    const support = { sessions: 1, principals: 1 };
    return { kind: 'choice', id: `mine${i}`, tool: 'route', field: 'queue', value: 'account', cues: all, support };
  });
}

function pagesOf(insights: readonly ChoiceInsight[]): MemoryDocument['memories'] {
  return Object.fromEntries(
    insights.map((insight) => [`/mine-${insight.id}.md`, { kind: 'playbook', title: 'Mine', insights: { [insight.id]: insight } }]),
  );
}

describe('what outgrows a patch', () => {
  it.each([
    ['more insights than it has room for operations', 60, 1],
    ['more bytes than it has room for', 12, 200],
  ])('%s are retired, all of them, in patches of their own', (_what, count, cues) => {
    const before = withMemories(pagesOf(rivals(count, cues)));
    const dreamt = dream({ state: before });
    const billing = dreamt.insights.find(({ insight }) => insight.kind === 'choice' && insight.value === 'billing')!;
    expect(billing.operations.length).toBeGreaterThan(1);
    const retired = dreamt.insights.filter(({ change }) => change === 'retire');
    expect(retired.length).toBeGreaterThan(0);
    for (const { reason, evidence, gates } of retired) {
      expect([reason, evidence]).toEqual([`${billing.insight.id} says otherwise and is supported more.`, billing.evidence]);
      expect(gates.map(({ gate, pass }) => [gate, pass])).toEqual([
        ['evidence', true],
        ['turning', true],
      ]);
    }
    const after = approved(before, dreamt);
    const left = Object.values(after.document.memories).flatMap((one) => (one.kind === 'playbook' ? Object.keys(one.insights) : []));
    expect(left.filter((id) => id.startsWith('mine'))).toEqual([]);
    expect(left).toContain(billing.insight.id);
    expect(dream({ state: after }).insights).toEqual([]);
  });
});

describe('a store that is full', () => {
  const notes = (count: number): MemoryDocument['memories'] =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`/n${i}.md`, { kind: 'note', content: 'x' }]));
  const stoppedBy = ({ insights }: DreamDecision): unknown[] =>
    insights.map(({ gates, operations }) => [
      hasPassed(gates) ? 'passes' : `${gates.at(-1)!.gate}: ${gates.at(-1)!.code}`,
      operations.length,
    ]);

  it('takes no page and no note more, and says so', () => {
    const state = { ...store, document: { memories: notes(MAX_MEMORIES) } };
    const note: Suggestion = { kind: 'note', path: '/tone.md', content: 'Be kind.', reason: 'r', evidence: ['session/sesn_0001#9'] };
    const { pages, insights, ...rest } = dream({ state, suggestions: [note, { ...note, path: '/n7.md' }] });
    const full = ['shape: patch_too_large', 0];
    expect(stoppedBy({ pages, insights, ...rest })).toEqual([full, full, full, full, ['passes', 2]]);
    expect(pages).toEqual([]);
  });

  it('takes what finds room on the page that it has', () => {
    const page = { [CHOICE_PLAYBOOK]: { kind: 'playbook', title: 'Choices', insights: {} } } as const;
    const state = { ...store, document: { memories: { ...notes(MAX_MEMORIES - 1), ...page } } };
    expect(stoppedBy(dream({ state }))).toEqual([1, 2, 3].map(() => ['passes', 1]));
    const nearly = { ...store, document: { memories: notes(MAX_MEMORIES - 1) } };
    expect(stoppedBy(dream({ state: nearly }))).toEqual([1, 2, 3].map(() => ['passes', 1]));
  });

  it('takes no note over a playbook', () => {
    const { memories } = approved(store, dream()).document;
    const over = (path: string): Suggestion => ({ kind: 'note', path, content: 'x', reason: 'r', evidence: ['session/sesn_0001#9'] });
    const mine = { '/mine.md': { kind: 'playbook', title: 'Mine', insights: {} } } as const;
    const paths = ['/mine.md', CHOICE_PLAYBOOK, '/Playbooks/x', '/mine.md/x', '/MINE.md'];
    const state = { ...store, document: { memories: { ...memories, ...mine } } };
    const dreamt = dream({ state, suggestions: paths.map(over), refine: false });
    expect(stoppedBy(dreamt)).toEqual(paths.map(() => ['shape: path_conflict', 0]));
  });
});

describe('an insight whose cues nobody says any more', () => {
  /** Sessions of other things, in words that are no cues for long. */
  const others = (count: number) =>
    Array.from({ length: count }, (_, i) => episode([`p${i % 50}`, ['account', 'technical'][i % 2]!, `email crashes w${i % 7}`], 1000 + i));
  const learnt = approved(store, dream());
  const billing = dream().insights.find(({ insight }) => insight.kind === 'choice' && insight.value === 'billing')!.insight;

  it('is retired as stale, with reason and evidence, and stays away', () => {
    const from = [...episodes, ...others(STALE_LESSONS + 20)];
    const { insights } = dream({ state: learnt, from });
    const gone = insights.find(({ insight }) => insight.id === billing.id)!;
    expect(gone).toMatchObject({ change: 'retire', reason: expect.stringMatching(/^It is stale: none of its cues was said/) });
    expect(gone.evidence.length).toBeGreaterThan(0);
    expect(gone.gates.map(({ gate, waits = false }) => [gate, waits])).toEqual([
      ['evidence', false],
      ['turning', false],
    ]);
    const after = approved(learnt, { pages: [], insights, settled: [], withdrawn: [], guard: [], heldBack: 0 });
    expect(JSON.stringify(after.document)).not.toContain(billing.id);
    expect(dream({ state: after, from }).insights.filter(({ insight }) => insight.id === billing.id)).toEqual([]);
  });

  it('stays while one of them is said', () => {
    const said = episode(['ann', 'billing', 'refund'], 999);
    const from = [
      ...episodes,
      ...others(STALE_LESSONS / 2),
      said,
      ...others(STALE_LESSONS / 2 + 20).map((one, i) => ({ ...one, session: `t${i}` })),
    ];
    const { insights } = dream({ state: learnt, from });
    expect(insights.filter(({ insight, change }) => insight.id === billing.id && change === 'retire')).toEqual([]);
  });
});
