import { EVENT_VERSION, checkPayload, type EventType, type LogEvent } from '@dreamfold/events';
import { expect, it } from 'vitest';
import { decideDream } from './decide-dream.ts';
import { evolveDream, initialDream } from './dream-state.ts';

const started = { store_id: 'memstore_1', number: 1, log_id: 'log_1', after: [0], through: [9] };
const by = { machine: 'desk', pid: 7, started: '1' };
const content = { patch_id: 'patch_1', sha256: 'h' };
const insight = (id: string): object => ({ insight_id: id, content, change: 'add', tier: 'typed' });
const refined = { memory_seq: 4, looked: true, insights: 2, sha256: 'h' };

/** A dream from its start to its end: each event, and what is done next once it stands. */
const STEPS: readonly [type: EventType, data: object, next: string][] = [
  ['dream.started', { ...started, options: { proposers: ['model', 'rules'] } }, 'review'],
  ['dream.proposal_answered', { proposer: 'caller', suggestions: [] }, 'review'],
  ['dream.reviewed', { sessions: [], decisions: 0, labelled: 0 }, 'ask model'],
  ['dream.proposal_requested', { proposer: 'model' }, 'ask model'],
  ['dream.proposal_answered', { proposer: 'model', suggestions: [] }, 'ask rules'],
  ['dream.proposal_requested', { proposer: 'rules' }, 'ask rules'],
  ['dream.proposal_answered', { proposer: 'rules', suggestions: [], error: { type: 'Error', message: 'no' } }, 'refine'],
  ['dream.refined', refined, 'propose 0'],
  ['dream.insight_proposed', insight('i1'), 'propose 1'],
  // The rules have changed meanwhile: it was decided again.
  ['dream.refined', { ...refined, insights: 1 }, 'propose 0'],
  ['dream.insight_proposed', insight('i2'), 'complete'],
  ['dream.completed', { patch_ids: ['patch_1'], insights: 2, rejected: 0 }, 'nothing'],
];

function nextAfter(rows: readonly (readonly [type: EventType, data: object, ...unknown[]])[]): string {
  const state = rows.reduce((before, [type, data], i) => {
    const v = EVENT_VERSION[type];
    checkPayload(type, v, data);
    const place = { position: 1, stream: 'dream/drm_1', seq: i + 1, id: 'e', time: 0, causation: null, correlation: null, hash: '' };
    return evolveDream(before, { ...place, v, type, actor: 'system', data } satisfies LogEvent);
  }, initialDream);
  const intent = decideDream(state);
  return intent === null
    ? 'nothing'
    : [intent.do, 'proposer' in intent ? intent.proposer : 'from' in intent ? intent.from : ''].join(' ').trim();
}

it('goes on from every prefix of a stream where it was, whoever has taken it over', () => {
  expect(nextAfter([])).toBe('nothing');
  for (const [i, [, , next]] of STEPS.entries()) {
    const prefix = STEPS.slice(0, i + 1);
    expect([i, nextAfter(prefix), nextAfter([...prefix, ['dream.claimed', { by }]])]).toEqual([i, next, next]);
  }
});

it('does nothing more once it has ended', () => {
  for (const [i] of STEPS.entries()) {
    const prefix = STEPS.slice(0, i + 1);
    expect(nextAfter([...prefix, ['dream.failed', { error: { type: 'Error', message: 'no' } }]])).toBe('nothing');
    expect(nextAfter([...prefix, ['dream.cancelled', { by: 'person:ann', reason: 'no' }]])).toBe('nothing');
  }
});

it('asks nobody, and proposes nothing, where there is nobody and nothing', () => {
  const begun: [EventType, object][] = [
    ['dream.started', { ...started, options: {} }],
    ['dream.reviewed', { sessions: [], decisions: 0, labelled: 0 }],
  ];
  expect(nextAfter(begun)).toBe('refine');
  expect(nextAfter([...begun, ['dream.refined', { ...refined, insights: 0 }]])).toBe('complete');
});
