import {
  EMPTY_DOCUMENT,
  applyPatch,
  approvePatch,
  createStore,
  evolveMemory,
  initialMemory,
  proposePatch,
  rejectPatch,
  validatePatch,
  writeMemory,
  type MemoryState,
  type Sha256,
} from '@dreamfold/core';
import { checkPayload, type LogEvent, type NewEvent } from '@dreamfold/events';
import { decideInsights, type DreamDecision, type DreamInput } from '../decide-insights.ts';
import type { Episode } from '../episodes/episode.ts';
import { hasPassed } from '../gates/judge.ts';
import { UNGUARDED } from '../learn/guard/guard-life.ts';
import { learn, newKnowledge, type Knowledge } from '../learn/knowledge.ts';
import { priorProposal, proposedPatches } from '../prior-proposals.ts';
import { episode, type Ticket } from './tickets.ts';

/** The eight principals of a desk of three queues, and what they want. */
export const tickets: Ticket[] = [
  ['ann', 'billing', 'Hello, I would like a refund for my last order please.'],
  ['bob', 'billing', 'Please refund the second charge, I was charged twice.'],
  ['cem', 'billing', 'Hi, the shop promised a refund in May and I am still waiting.'],
  ['dee', 'billing', 'I was charged twice for the same order, please fix my bill.'],
  ['ann', 'billing', 'Why was I charged twice? My card shows it.'],
  ['eva', 'technical', 'Hello, the app crashes when I open my last order.'],
  ['bob', 'technical', 'Please help, your app crashes on start.'],
  ['fay', 'technical', 'Since May the app crashes and I am still waiting for a fix.'],
  ['cem', 'account', 'Hello, please change my email address.'],
  ['gus', 'account', 'I would like to change my email, please.'],
  ['eva', 'account', 'How do I change my email in the app?'],
  ['hal', null, 'Hello, where is my last order? I am still waiting.'],
];
export const episodes = tickets.map((ticket, i) => episode(ticket, i));
const memory = { store: 'memstore_1', stored: new Map() };

/** What a desk's sessions teach. */
export function known(from: readonly Episode[] = episodes): Knowledge {
  const knowledge = newKnowledge();
  for (const one of from) learn(knowledge, one, memory);
  return knowledge;
}

export type Dreamt = Partial<DreamInput> & { state?: MemoryState; from?: readonly Episode[] };

/** Dreams over the desk's sessions, or over others, with an empty store, or with the one given. */
export function dreamWith(sha256: Sha256, input: Dreamt = {}): DreamDecision {
  const { state, from, ...rest } = input;
  const cited = new Map((from ?? episodes).map((one) => [one.session, { seq: one.seq, episode: one }]));
  const proposed = state === undefined ? new Map<string, string>() : proposedPatches(state);
  const prior: DreamInput['prior'] = (id) => (state === undefined ? undefined : priorProposal(state, id, proposed.get(id)));
  const now = { proposed: proposed.keys(), document: state?.document ?? EMPTY_DOCUMENT, counts: state?.counts ?? new Map(), prior };
  const approval = state?.store?.approval ?? 'manual';
  const given = { approval, constitution: [], suggestions: [], cited, untrusted: [], guardLife: UNGUARDED, refine: true };
  return decideInsights({ knowledge: known(from), ...now, ...given, ...rest }, { sha256 });
}

/** Each finding in a line, with the gate that stopped it. */
export function said({ insights }: DreamDecision): string[] {
  return insights.map(({ insight, change, gates }) => {
    const what = insight.kind === 'choice' ? `${insight.value}: ${insight.cues.map(({ phrase }) => phrase).join(', ')}` : insight.id;
    return `${change === 'add' ? '' : `${change} `}${what}${hasPassed(gates) ? '' : ` (${gates.at(-1)!.gate})`}`;
  });
}

/** Folds events, as checked by the catalogue and read back from the log. */
export function fold(state: MemoryState, events: readonly NewEvent[]): MemoryState {
  return events.reduce((s, { type, data, actor }) => {
    checkPayload(type, 1, data);
    const envelope = { position: 1, stream: 'memory/m', seq: 1, id: 'e', time: 0, v: 1, causation: null, correlation: null, hash: '' };
    return evolveMemory(s, { ...envelope, type, actor, data: JSON.parse(JSON.stringify(data)) } satisfies LogEvent);
  }, state);
}

export type Decided = 'approve' | 'reject' | 'leave';

/** A store in which a person has decided on everything that a dream proposes, each insight by a patch of its own. */
export function decideWith(
  sha256: Sha256,
  { start, dreamt: { pages, insights }, how }: { start: MemoryState; dreamt: Pick<DreamDecision, 'pages' | 'insights'>; how: Decided },
): MemoryState {
  const tools = { sha256 };
  let state = start;
  if (pages.length > 0) {
    state = fold(
      state,
      writeMemory(state, { patchId: `pages-${state.version}`, operations: pages, reason: 'room', author: 'system' }, tools),
    );
  }
  for (const [i, { operations, reason, evidence, gates }] of insights.filter(({ operations }) => operations.length > 0).entries()) {
    const patchId = `${state.version}-${[...state.patches].length}-${i}`;
    state = fold(state, proposePatch(state, { patchId, operations, reason, evidence, author: 'dream:drm_1' }, tools));
    state = fold(state, validatePatch(state, { patchId, gates, by: 'system' }));
    if (how === 'leave') continue;
    if (how === 'reject') {
      state = fold(state, rejectPatch(state, { patchId, by: 'person:mara', reason: 'No.' }));
      continue;
    }
    state = fold(state, approvePatch(state, { patchId, by: 'person:mara' }));
    state = fold(state, applyPatch(state, { patchId, by: 'system' }, tools));
  }
  return state;
}
export const store = fold(
  initialMemory,
  createStore(initialMemory, { name: 'desk', description: '', approval: 'manual', by: 'person:ann' }),
);
