import { DreamfoldError } from '@dreamfold/events';
import { describe, expect, test } from 'vitest';
import { initialSession, type SessionState } from '../session/fold/state.ts';
import { stepWorker, type WorkerIntent } from './decide-worker.ts';
import { initialWorker, isToBeTaken, type WorkerObservation } from './worker-state.ts';

const A = 'sesn_a';
const B = 'sesn_b';

/** A worker that has partition 0: what it does about each observation, in short. */
class Given {
  readonly state;

  constructor(concurrency = 2) {
    this.state = initialWorker(concurrency);
    this.when({ type: 'assigned', partitions: [0], wasMember: true });
  }

  when(...seen: WorkerObservation[]): string[] {
    return seen.flatMap((one) => stepWorker(this.state, one)).map(inShort);
  }

  /** Something is asked of a session, and it is looked at. */
  sees(session: string, found: Partial<SessionState>, hasTeam = true): { isTaken: boolean; told: string[] } {
    const state = sessionAt(session, found);
    const told = this.when({ type: 'seen', session, state, hasTeam });
    return { isTaken: hasTeam && isToBeTaken(this.state, session, state), told };
  }
}

function inShort(intent: WorkerIntent): string {
  if (intent.type === 'tell') return `tell ${intent.news.type}${'session' in intent.news ? ` ${intent.news.session}` : ''}`;
  if (intent.type === 'look_again') return `look again at ${intent.session}, ${intent.due.reason}, after ${intent.afterMs} ms`;
  return intent.type === 'give_up' ? 'give up' : `${intent.type} ${intent.session}`;
}

function sessionAt(id: string, found: Partial<SessionState>): SessionState {
  return { ...initialSession(id), exists: true, status: 'running', ...found };
}

const asked = (session: string, more: object = {}): WorkerObservation => ({
  ...{ type: 'heard', session, partition: 0, rest: 'asked', runsHere: false },
  ...more,
});
const rests = (session: string): WorkerObservation => asked(session, { rest: 'ended', runsHere: true });
const failed = (session: string, code: ConstructorParameters<typeof DreamfoldError>[0] | null): WorkerObservation => ({
  type: 'failed',
  session,
  error: code === null ? new TypeError('a fault') : new DreamfoldError(code, 'x', { remedy: 'y' }),
});

describe('what it claims', () => {
  test('what asks for something in its partitions, and nobody runs here', () => {
    const worker = new Given();
    expect(worker.when(asked(A))).toEqual([`claim ${A}`]);
    expect(worker.when(asked(B, { partition: 1 }))).toEqual([]);
    expect(worker.when(asked(B, { runsHere: true }))).toEqual([]);
  });

  test('so many at once, the others in their order when one rests', () => {
    const worker = new Given(1);
    expect(worker.when(asked(A), asked(B), { type: 'taken', session: A })).toEqual([`claim ${A}`, `tell taken ${A}`]);
    expect(worker.when(rests(A), { type: 'rested', session: A, result: null })).toEqual([`tell rested ${A}`, `claim ${B}`]);
  });

  test('what is under way in a partition that it is given, and not what it keeps and runs', () => {
    const worker = new Given();
    worker.when(asked(A), { type: 'taken', session: A }, asked(B, { partition: 1, rest: 'running' }));
    expect(worker.when({ type: 'assigned', partitions: [0, 1], wasMember: true })).toEqual(['tell assigned', `claim ${B}`]);
    expect(worker.state.underWay.get(A)!.again).toBeNull();
    worker.when({ type: 'assigned', partitions: [0, 1], wasMember: false });
    expect(worker.state.underWay.get(A)!.again).toMatchObject({ reason: 'abandoned' });
  });

  test('what was asked while it ran here, once more', () => {
    const worker = new Given();
    worker.when(asked(A), { type: 'taken', session: A }, asked(A));
    expect(worker.when({ type: 'rested', session: A, result: null })).toEqual([`tell rested ${A}`, `claim ${A}`]);
  });

  test('nothing once it is over; what is under way is let go of', () => {
    const worker = new Given();
    worker.when(asked(A));
    expect(worker.when({ type: 'over' }, asked(B), { type: 'assigned', partitions: [0], wasMember: true })).toEqual([`release ${A}`]);
    expect(worker.when({ type: 'taken', session: A })).toEqual([`release ${A}`, `tell taken ${A}`]);
    expect(worker.when(failed(A, null))).toEqual([]);
  });
});

describe('what it takes of what it claims', () => {
  test.each([
    ['asked', { status: 'running', claimedByWorker: true }, false],
    ['asked', { status: 'running', claimedByWorker: false }, false],
    ['outrun', { status: 'running', claimedByWorker: true }, true],
    ['outrun', { status: 'running', claimedByWorker: false }, false],
    ['abandoned', { status: 'running', claimedByWorker: false }, true],
  ] as const)('%s, %j: %s', (reason, found, isTaken) => {
    const worker = new Given();
    worker.when(asked(A, { rest: 'running' }), { type: 'due_again', session: A, due: { partition: 0, reason, looks: 0 } });
    expect(worker.sees(A, found).isTaken).toBe(isTaken);
  });

  test('nothing that somebody else has claimed since the first look', () => {
    const worker = new Given();
    worker.when({ type: 'found', session: A, partition: 0 });
    expect(worker.sees(A, { epoch: 1 }).isTaken).toBe(true);
    expect(worker.sees(A, { epoch: 2 }).isTaken).toBe(false);
  });

  test('nothing that has nothing to do: it is forgotten', () => {
    const worker = new Given();
    worker.when({ type: 'found', session: A, partition: 0 });
    expect(worker.sees(A, { exists: false }).isTaken).toBe(false);
    expect(worker.when({ type: 'passed', session: A })).toEqual([]);
  });

  test('nothing without a team, which it says once for each lead, until something happens to the session', () => {
    const worker = new Given();
    const found = { team: { lead: 'desk', agents: [] } };
    worker.when({ type: 'found', session: A, partition: 0 }, { type: 'found', session: B, partition: 0 });
    expect(worker.sees(A, found, false)).toEqual({ isTaken: false, told: [`tell left ${A}`] });
    expect(worker.sees(B, found, false)).toEqual({ isTaken: false, told: [] });
    expect(worker.when({ type: 'passed', session: A }, { type: 'assigned', partitions: [0], wasMember: false })).toEqual(['tell assigned']);
    expect(worker.when({ type: 'passed', session: B }, asked(A))).toEqual([`claim ${A}`]);
  });
});

describe('when it looks again', () => {
  const passed: WorkerObservation = { type: 'passed', session: A };
  const due = (looks: number, reason: 'asked' | 'outrun' | 'abandoned' = 'asked'): WorkerObservation => ({
    ...{ type: 'due_again', session: A },
    due: { partition: 0, reason, looks },
  });

  test('each time later, and at what is only asked for four times', () => {
    const worker = new Given();
    expect(worker.when(asked(A), passed)).toEqual([`claim ${A}`, `look again at ${A}, asked, after 1000 ms`]);
    for (const [looks, ms] of [2000, 4000, 8000].entries())
      expect(worker.when(due(looks), passed)).toEqual([`claim ${A}`, `look again at ${A}, asked, after ${ms} ms`]);
    expect(worker.when(due(3), passed)).toEqual([`claim ${A}`]);
    expect(worker.when(due(9, 'abandoned'), passed)).toEqual([`claim ${A}`, `look again at ${A}, abandoned, after 30000 ms`]);
  });

  test('later still at what another worker has taken away', () => {
    const worker = new Given();
    worker.when(asked(A), { type: 'taken', session: A });
    expect(worker.when(failed(A, 'fenced'))).toEqual([`tell lost ${A}`, `look again at ${A}, outrun, after 4000 ms`]);
    worker.when(due(0, 'outrun'));
    worker.sees(A, { claimedByWorker: true });
    expect(worker.when(passed)).toEqual([`look again at ${A}, outrun, after 8000 ms`]);
  });

  test('not at what rests by then, nor at what is another worker’s', () => {
    const worker = new Given();
    worker.when(asked(A), passed, rests(A));
    expect(worker.when(due(0))).toEqual([]);
    worker.when(asked(A, { rest: 'running' }), { type: 'assigned', partitions: [1], wasMember: true });
    expect(worker.when(due(0))).toEqual([]);
  });
});

describe('what fails', () => {
  test('a session whose partition went is handed over', () => {
    const worker = new Given();
    worker.when(asked(A), { type: 'taken', session: A });
    expect(worker.when({ type: 'assigned', partitions: [], wasMember: true })).toEqual(['tell assigned', `release ${A}`]);
    expect(worker.when(failed(A, null))).toEqual([`tell handed_over ${A}`]);
  });

  test('the log: it gives up at once', () => {
    const worker = new Given();
    worker.when(asked(A));
    expect(worker.when(failed(A, 'log_diverged'))).toEqual(['give up']);
  });

  test('what is not for it is told once', () => {
    const worker = new Given();
    expect(worker.when(asked(A), failed(A, 'unsupported_schema_version'))).toEqual([`claim ${A}`, `tell left ${A}`]);
    expect(worker.when(asked(A), failed(A, 'unsupported_schema_version'))).toEqual([`claim ${A}`]);
  });

  test('ten sessions in a row by a fault: it gives up; one that rests begins the count again', () => {
    const worker = new Given();
    const fails = (times: number): string[] => Array.from({ length: times }, () => worker.when(asked(A), failed(A, null))).flat();
    expect(fails(9)).not.toContain('give up');
    worker.when(asked(B), { type: 'taken', session: B }, { type: 'rested', session: B, result: null });
    expect(fails(9)).not.toContain('give up');
    expect(fails(1)).toContain('give up');
  });
});
