import { DreamfoldError } from '@dreamfold/events';
import { describe, expect, test } from 'vitest';
import { evolveWorker, initialWorker, type WorkerObservation, type WorkerState } from './worker-state.ts';

const A = 'sesn_a';

/** A worker that has partition 0, and what it has got to know. */
function after(...seen: readonly WorkerObservation[]): WorkerState {
  const first: WorkerObservation = { type: 'assigned', partitions: [0], wasMember: true };
  return [first, ...seen].reduce(evolveWorker, initialWorker({ concurrency: 1, seed: 0 }));
}

const heard = (change: Partial<Extract<WorkerObservation, { type: 'heard' }>> = {}): WorkerObservation => ({
  ...{ type: 'heard', session: A, partition: 0, seq: 2, rest: 'asked', isClaim: false, runsHere: false },
  ...change,
});
const found: WorkerObservation = { type: 'found', session: A, partition: 0, seq: 2, isUntaken: false, ageMs: 0, claimedBy: null };
const claiming: WorkerObservation = { type: 'claiming', session: A };
const taken: WorkerObservation = { type: 'taken', session: A };
const rested: WorkerObservation = { type: 'rested', session: A, result: null };
/** Another worker may have had its partitions meanwhile. */
const anew = (partitions: number[]): WorkerObservation => ({ type: 'assigned', partitions, wasMember: false });

describe('why a session is due', () => {
  test('is the strongest reason that there was, whatever came last', () => {
    expect(after(found, heard()).due.get(A)).toMatchObject({ reason: 'abandoned' });
    expect(after(heard(), found).due.get(A)).toMatchObject({ reason: 'abandoned' });
    expect(after(heard(), claiming, taken, anew([0]), heard()).underWay.get(A)!.again).toMatchObject({ reason: 'abandoned' });
  });

  test('is no longer that it was abandoned, once it ran here to its rest', () => {
    expect(after(heard(), claiming, taken, anew([0]), rested).due.get(A)).toMatchObject({ reason: 'asked' });
    expect(after(heard(), claiming, anew([0]), { type: 'passed', session: A }).due.get(A)).toMatchObject({ reason: 'abandoned' });
  });

  test('is gone with its partition', () => {
    expect(after(heard(), anew([1])).due.size).toBe(0);
    expect(after(heard(), claiming, taken, heard(), anew([1]), rested).due.size).toBe(0);
  });
});

test('a session that was left alone is one like others as soon as anything happens to it', () => {
  const error = new DreamfoldError('unsupported_schema_version', 'x', { remedy: 'y' });
  const left = after(found, claiming, { type: 'failed', session: A, error });
  expect([left.unfinished.has(A), left.passedOver.has(A)]).toEqual([false, true]);
  const again = evolveWorker(left, heard({ rest: null }));
  expect([again.unfinished.has(A), again.passedOver.has(A)]).toEqual([true, false]);
});
