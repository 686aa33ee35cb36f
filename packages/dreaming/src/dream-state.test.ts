import { EVENT_VERSION, checkPayload, type EventType, type LogEvent } from '@dreamfold/events';
import { expect, it } from 'vitest';
import { evolveDream, initialDream, type DreamState } from './dream-state.ts';

function fold(...rows: [type: string, data: unknown][]): DreamState {
  return rows.reduce<DreamState>((state, [type, data]) => {
    const v = EVENT_VERSION[type as EventType];
    checkPayload(type, v, data);
    const envelope = { position: 1, stream: 'dream/drm_1', seq: 1, id: 'e', time: 0, v, causation: null, correlation: null, hash: '' };
    return evolveDream(state, { ...envelope, type, actor: 'dream:drm_1', data } satisfies LogEvent);
  }, initialDream);
}

const insight = {
  kind: 'choice',
  id: 'i1',
  tool: 't',
  field: 'f',
  value: 'v',
  cues: [{ phrase: 'c', points: 5, sessions: 3, principals: 2 }],
  support: { sessions: 3, principals: 2 },
};
const started: [string, unknown] = ['dream.started', { store_id: 'memstore_1', number: 1, log_id: 'log_1', after: [0], through: [9] }];
const reviewed: [string, unknown] = ['dream.reviewed', { sessions: [{ session_id: 'sesn_1', through_seq: 9 }], decisions: 2, labelled: 1 }];
const proposed: [string, unknown] = [
  'dream.insight_proposed',
  { insight_id: 'i1', content: { insight, reason: 'r', evidence: ['session/sesn_1#4'] }, change: 'add', tier: 'typed' },
];
const gates = [{ gate: 'quorum', pass: false, reason: 'one session' }];

it('follows a dream from its start to its end', () => {
  const state = fold(started, reviewed, proposed, ['dream.insight_rejected', { insight_id: 'i1', gates }]);
  expect(state).toMatchObject({ status: 'running', reviewed: { labelled: 1 }, insights: [{ insight, rejected: gates }] });
  const done: [string, unknown] = ['dream.completed', { patch_ids: ['p1'], insights: 1, rejected: 0 }];
  expect(fold(started, done)).toMatchObject({ status: 'completed', patchIds: ['p1'] });
  const error = { type: 'store_full', message: 'no room' };
  expect(fold(started, ['dream.failed', { error }])).toMatchObject({ status: 'failed', error });
});

it('reads what an older version recorded of an insight, whose patch said it again', () => {
  const said = { insight, change: 'add', tier: 'typed', reason: 'r', evidence: ['session/sesn_1#4'] };
  const place = { position: 1, stream: 'dream/drm_1', seq: 2, id: 'e', time: 0, causation: null, correlation: null, hash: '' };
  const old: LogEvent = { ...place, type: 'dream.insight_proposed', v: 1, actor: 'system', data: said };
  const [dreamt] = evolveDream(fold(started), old).insights;
  expect(dreamt).toEqual({ ...said, insightId: 'i1', patchId: null, rejected: null });
  expect(fold(started, proposed).insights).toEqual([dreamt]);
});

it('says which patch holds an insight, and of two with one id that the later one was stopped', () => {
  const inPatch = { insight_id: 'i1', content: { patch_id: 'patch_1', sha256: 'h' }, change: 'add', tier: 'typed' };
  const { insights } = fold(started, ['dream.insight_proposed', inPatch], proposed, [
    'dream.insight_rejected',
    { insight_id: 'i1', gates },
  ]);
  expect(insights).toMatchObject([
    { insightId: 'i1', patchId: 'patch_1', insight: null, reason: null, evidence: null, rejected: null },
    { insightId: 'i1', patchId: null, insight, rejected: gates },
  ]);
});

it('ignores what comes before the start, after the end, or a second time', () => {
  expect(fold(reviewed, proposed)).toMatchObject({ ...initialDream, seq: 1, time: 0 });
  expect(fold(started, ['dream.completed', { patch_ids: [], insights: 0, rejected: 0 }], proposed, started).insights).toEqual([]);
});
