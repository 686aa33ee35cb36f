import { DreamfoldError } from '@dreamfold/events';
import { describe, expect, test } from 'vitest';
import { initialSession, newThread, type SessionState } from '../session/fold/state.ts';
import { stepWorker, type WorkerIntent } from './decide-worker.ts';
import { initialWorker, isToBeTaken, type WorkerObservation } from './worker-state.ts';

const A = 'sesn_a';
const B = 'sesn_b';

/** A worker that has partition 0: what it does about each observation, in short. */
class Given {
  readonly state;

  constructor(concurrency = 2, { node = null, partitions = [0] }: { node?: string | null; partitions?: number[] | null } = {}) {
    this.state = initialWorker({ concurrency, seed: 0, node });
    if (partitions !== null) this.when({ type: 'assigned', partitions, wasMember: true });
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
  ...{ type: 'heard', session, partition: 0, seq: 2, rest: 'asked', isClaim: false, runsHere: false },
  ...more,
});
const found = (session: string, more: object = {}): WorkerObservation => ({
  ...{ type: 'found', session, partition: 0, seq: 2, isUntaken: false, ageMs: 0, claimedBy: null },
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
    expect(worker.when(asked(B, { partition: 1 }))).not.toContain(`claim ${B}`);
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
    worker.when(found(A));
    expect(worker.sees(A, { epoch: 1 }).isTaken).toBe(true);
    expect(worker.sees(A, { epoch: 2 }).isTaken).toBe(false);
  });

  test('nothing that has nothing to do: it is forgotten', () => {
    const worker = new Given();
    worker.when(found(A));
    expect(worker.sees(A, { exists: false }).isTaken).toBe(false);
    expect(worker.when({ type: 'passed', session: A })).toEqual([]);
  });

  test('nothing without a team, which it says once for each lead, until something happens to the session', () => {
    const worker = new Given();
    const desk = { team: { lead: 'desk', agents: [] } };
    worker.when(found(A), found(B));
    expect(worker.sees(A, desk, false)).toEqual({ isTaken: false, told: [`tell left ${A}`] });
    expect(worker.sees(B, desk, false)).toEqual({ isTaken: false, told: [] });
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

describe('what the worker had that was in its place before', () => {
  const newcomer = (): Given => new Given(2, { node: 'node_1', partitions: null });
  const own = { status: 'running', claimedByWorker: true, claimedBy: 'node_1' } as const;
  const left = found(A, { partition: 1, claimedBy: 'node_1' });

  test('it goes on with at once, whoever has the partition', () => {
    const worker = newcomer();
    expect(stepWorker(worker.state, left)).toEqual([{ type: 'claim', session: A, untaken: true }]);
    expect(worker.sees(A, { ...own, claimedUntaken: true })).toEqual({ isTaken: true, told: [] });
    worker.when({ type: 'taken', session: A });
    expect(worker.when({ type: 'assigned', partitions: [0], wasMember: true })).toEqual(['tell assigned']);
    const member = new Given(2, { node: 'node_1' });
    expect(stepWorker(member.state, found(A, { claimedBy: 'node_1' }))).toEqual([{ type: 'claim', session: A, untaken: false }]);
  });

  test('it leaves to whoever has claimed it since, and to others that had other places', () => {
    const worker = newcomer();
    worker.when(left);
    expect(worker.sees(A, { ...own, claimedBy: 'node_2' }).isTaken).toBe(false);
    expect(worker.when({ type: 'passed', session: A })).toEqual([`look again at ${A}, abandoned, after 1000 ms`]);
    expect(worker.when(found(B, { partition: 1, claimedBy: 'node_2' }), found('sesn_c', { partition: 1 }))).toEqual([]);
  });

  test('it leaves alone when it rests by now, or its team is not here', () => {
    const worker = newcomer();
    worker.when(left, found(B, { partition: 1, claimedBy: 'node_1' }));
    const lead = newThread({ id: 'lead', agent: 'desk', parent: null, delegation: null, depth: 0, task: '' });
    const queue = [{ id: 'sevt_1', content: [{ type: 'text' as const, text: 'x' }] }];
    expect(worker.sees(A, { ...own, status: 'idle', threads: [lead], queue }).isTaken).toBe(false);
    expect(worker.sees(B, own, false)).toEqual({ isTaken: false, told: [] });
  });
});

describe('what nobody takes up in partitions of others', () => {
  const elsewhere = (more: object = {}): WorkerObservation => asked(A, { partition: 1, seq: 7, ...more });
  const due = (seq: number, partition = 1): WorkerObservation => ({
    ...{ type: 'due_again', session: A },
    due: { partition, reason: 'untaken', looks: 0, seq },
  });
  const lead = newThread({ id: 'lead', agent: 'desk', parent: null, delegation: null, depth: 0, task: '' });
  const waiting: Partial<SessionState> = {
    status: 'idle',
    threads: [lead],
    queue: [{ id: 'sevt_1', content: [{ type: 'text', text: 'x' }] }],
  };
  const running = { status: 'running', claimedByWorker: true, claimedUntaken: true } as const;

  test('it claims after a while, each worker after another one; a newcomer later than all members', () => {
    const afterMs = (seed: number, ...before: WorkerObservation[]): number => {
      const state = initialWorker({ concurrency: 1, seed });
      const intents = [...before, elsewhere()].flatMap((seen) => stepWorker(state, seen));
      return intents.reduce((ms, intent) => (intent.type === 'look_again' ? intent.afterMs : ms), 0);
    };
    const all = Array.from({ length: 20 }, (_, i) => i * 1e8);
    const members = all.map((seed) => afterMs(seed, { type: 'assigned', partitions: [], wasMember: true }));
    const newcomers = all.map((seed) => afterMs(seed));
    expect(Math.min(...members)).toBeGreaterThanOrEqual(2_000);
    expect(Math.max(...members)).toBeLessThan(3_000);
    expect(Math.min(...newcomers)).toBeGreaterThanOrEqual(5_000);
    expect(Math.max(...newcomers)).toBeLessThan(6_000);
    expect(new Set(members).size).toBeGreaterThan(15);
    const worker = new Given();
    worker.when(elsewhere());
    expect(stepWorker(worker.state, due(7))).toEqual([{ type: 'claim', session: A, untaken: true }]);
    expect(worker.sees(A, { status: 'idle', epoch: 1 }).isTaken).toBe(false);
  });

  test('also what was so when it started, and what it has not taken up itself when the partition goes', () => {
    const worker = new Given(1);
    expect(worker.when(found(B, { partition: 1, isUntaken: true }))).toEqual([expect.stringContaining(`look again at ${B}, untaken`)]);
    expect(worker.when(found(B, { partition: 1 }))).toEqual([]);
    const afterMs = (ageMs: number): number => {
      const [look] = stepWorker(worker.state, found(B, { partition: 1, isUntaken: true, ageMs }));
      return look?.type === 'look_again' ? look.afterMs : Number.NaN;
    };
    expect([afterMs(500), afterMs(1e9), afterMs(-1e9)].map((ms) => ms - afterMs(0))).toEqual([-500, -2000, 0]);
    expect(worker.when(asked('sesn_c'), asked(A))).toEqual(['claim sesn_c']);
    expect(worker.when({ type: 'assigned', partitions: [], wasMember: true })).toEqual([
      ...['tell assigned', 'release sesn_c'],
      ...['sesn_c', A].map((session) => expect.stringContaining(`look again at ${session}, untaken`)),
    ]);
  });

  test.each([
    ['somebody has claimed it', elsewhere({ rest: null, isClaim: true })],
    ['it rests', elsewhere({ rest: 'ended' })],
    ['the partition is its own by now', { type: 'assigned', partitions: [1], wasMember: true }],
  ] as const)('not when %s', (_, happens) => {
    const worker = new Given();
    worker.when(elsewhere(), happens);
    expect(worker.when(due(7))).toEqual([]);
  });

  test('nor sooner for an earlier request that was taken up', () => {
    const worker = new Given();
    worker.when(elsewhere(), elsewhere({ rest: null, isClaim: true }), elsewhere({ rest: 'ended' }), elsewhere({ seq: 11 }));
    expect(worker.when(due(7))).toEqual([]);
    expect(worker.when(due(11))).toEqual([`claim ${A}`]);
  });

  test('it claims only while nobody runs it, and says nothing when it lacks the team', () => {
    const worker = new Given();
    worker.when(elsewhere(), due(7));
    expect(worker.sees(A, { status: 'running', claimedByWorker: true }).isTaken).toBe(false);
    expect(worker.when({ type: 'passed', session: A })).toEqual([]);
    worker.when(due(7));
    expect(worker.sees(A, waiting, false)).toEqual({ isTaken: false, told: [] });
    expect(worker.state.unfinished.has(A)).toBe(true);
    expect(worker.sees(A, waiting).isTaken).toBe(true);
    worker.when(elsewhere({ rest: null, isClaim: true }));
    expect(worker.sees(A, waiting).isTaken).toBe(false);
  });

  test('it keeps when partitions move, and whoever has the partition takes it after half a minute of silence', () => {
    const taker = new Given();
    taker.when(elsewhere(), due(7), { type: 'taken', session: A });
    expect(taker.when({ type: 'assigned', partitions: [0], wasMember: false })).toEqual(['tell assigned']);
    const owner = new Given();
    const passed: WorkerObservation = { type: 'passed', session: A };
    const again = (seq: number): WorkerObservation => ({
      ...{ type: 'due_again', session: A },
      due: { partition: 0, reason: 'abandoned', looks: 0, seq },
    });
    owner.when(found(A));
    expect(owner.sees(A, { ...running, seq: 9 }).isTaken).toBe(false);
    expect(stepWorker(owner.state, passed)).toEqual([
      { type: 'look_again', session: A, due: { partition: 0, reason: 'abandoned', looks: 0, seq: 9 }, afterMs: 30_000 },
    ]);
    owner.when(again(9));
    expect(owner.sees(A, { ...running, seq: 12 }).isTaken).toBe(false);
    expect(owner.when(passed)).toEqual([`look again at ${A}, abandoned, after 30000 ms`]);
    owner.when(again(12));
    expect(owner.sees(A, { ...running, seq: 12 }).isTaken).toBe(true);
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
