import { DreamfoldError, idOfStream, isDreamfoldError, type ErrorCode, type LogEvent } from '@dreamfold/events';
import { hasSomethingToDo, isAtRestAfter, isRequest, mustRun, type SessionState } from '@dreamfold/core';
import { placeOf, type Log } from '@dreamfold/log';
import { safely } from '../safely.ts';
import type { SessionHost, SessionTeam } from '../session/session-host.ts';
import type { SessionResult } from '../session/session.ts';
import { unfinishedSessions } from './unfinished-sessions.ts';
import { shareOf, takePlace, type WorkShare } from './work-share.ts';

const DEFAULT_CONCURRENCY = 100;

/** The first pause before a session is looked at again that another process was faster to claim; each further one is twice as long. */
const LOOK_AGAIN_MS = 1_000;
const MAX_LOOK_AGAIN_MS = 30_000;
/** So often, when nothing says that whoever runs it is gone. */
const MAX_LOOKS = 4;
/** The first pause before a look at what another worker has taken away: by then it knows if it has lost the partition. */
const OUTRUN_MS = 4_000;

/** Sessions that fail one after the other by a fault of the program, before it is the operator's turn. */
const MAX_FAILED = 10;

/** What happens to the sessions of a worker. */
export type WorkerNews =
  /** These partitions of the log are the worker's from now on. */
  | { type: 'assigned'; partitions: readonly number[] }
  | { type: 'taken'; session: string }
  /** It is finished, or waits for a person (`result.stopReason`). */
  | { type: 'rested'; session: string; result: SessionResult }
  /** Its partition was given to another worker, which goes on with it. */
  | { type: 'handed_over'; session: string }
  /** Another process has claimed it. It goes on with it, or a worker that has the partition does: this one looks again. */
  | { type: 'lost'; session: string }
  /** Not run here, and not told again: this worker lacks its team, or the version that it was written by. */
  | { type: 'left'; session: string; error: DreamfoldError }
  /** A fault of the program stopped it here. Nothing is lost; whoever takes it over goes on. */
  | { type: 'failed'; session: string; error: unknown };

export interface WorkerOptions {
  log: Log;
  host: SessionHost;
  /** Default: that of the log. */
  share?: WorkShare;
  /** Of each lead, its team and the graders in code of its rubric. */
  teams: readonly SessionTeam[];
  /** How many sessions are under way here at most; those that wait for a person do not count. Default 100. */
  concurrency?: number;
  tell?: (news: WorkerNews) => void;
  /** Ends it: sessions are let go of where they stand. */
  signal: AbortSignal;
}

/**
 * Runs the sessions of the partitions that are this worker's, those that have something to do and whose lead's team it has. Resolves
 * once the signal is aborted and everything is let go of.
 * @throws DreamfoldError invalid_argument, unknown_model; what the log fails with: store_unavailable, log_diverged, …; what ten sessions
 * in a row have failed with here
 */
export async function workOn(options: WorkerOptions): Promise<void> {
  const worker = new Worker(options);
  // Nothing else keeps a process alive that waits for work.
  const alive = setInterval(() => {}, 60_000);
  try {
    await worker.run();
  } finally {
    clearInterval(alive);
  }
}

/** Errors of the log itself, for all sessions alike. */
const LOG_FAILURES: readonly ErrorCode[] = ['log_diverged', 'store_full', 'store_newer_than_code', 'store_read_only', 'store_unavailable'];

/** Errors that no other attempt of this worker would get round. */
const NOT_OURS: readonly ErrorCode[] = ['not_found', 'session_ended', 'unknown_agent', 'unsupported_schema_version'];

const isOneOf = (error: unknown, codes: readonly ErrorCode[]): error is DreamfoldError =>
  isDreamfoldError(error) && codes.includes(error.code);

/**
 * Why a session is to be taken, the weakest reason first: somebody asks for something, which counts while nobody runs it; another worker
 * has claimed it, though its partition is this one's; or whoever ran it has lost the partition.
 */
const REASONS = ['asked', 'outrun', 'abandoned'] as const;
type Reason = (typeof REASONS)[number];

interface Due {
  partition: number;
  reason: Reason;
  /** How often it was looked at in vain. */
  looks: number;
}

/** A session that is being taken, or is under way here. */
interface UnderWay {
  partition: number;
  isTaken: boolean;
  /** Somebody else is to go on with it. */
  isReleased: boolean;
  /** Why it is to be taken once more after this: it may not have heard of it. */
  again: Due | null;
  /** Another worker ran it when it was looked at. */
  isOutrun: boolean;
}

class Worker {
  readonly #o: WorkerOptions;
  readonly #teams: ReadonlyMap<string, SessionTeam>;
  readonly #concurrency: number;
  readonly #tell: (news: WorkerNews) => void;
  #assigned: ReadonlySet<number> = new Set();
  /** Every session of the log that is not at rest, with its partition, but for those that are left alone. */
  readonly #unfinished = new Map<string, number>();
  /** Left alone, and nothing was heard of them since. */
  readonly #passedOver = new Set<string>();
  readonly #due = new Map<string, Due>();
  readonly #underWay = new Map<string, UnderWay>();
  readonly #runs = new Set<Promise<void>>();
  /** How often another worker had claimed a session of a partition that is this one's. */
  readonly #outrun = new Map<string, number>();
  /** What was left alone, so that it is told once. */
  readonly #left = new Set<string>();
  /** Sessions that failed here since one came to rest. */
  #failed = 0;
  #isOver = false;
  readonly #ended = Promise.withResolvers<void>();

  constructor(options: WorkerOptions) {
    const { teams, concurrency = DEFAULT_CONCURRENCY, tell = () => {}, host } = options;
    this.#o = options;
    this.#teams = byLead(teams);
    for (const team of teams) host.checkModels(team);
    if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
      throw new DreamfoldError('invalid_argument', `A worker cannot run ${concurrency} sessions at once`, {
        path: 'concurrency',
        value: concurrency,
        remedy: 'Give a whole number from 1 on.',
      });
    }
    this.#concurrency = concurrency;
    // It may fail before anybody waits for it.
    this.#ended.promise.catch(() => {});
    this.#tell = safely(tell);
  }

  async run(): Promise<void> {
    const { log, host, share = shareOf(log, 'workers'), signal } = this.#o;
    const end = (): void => {
      this.#isOver = true;
      this.#ended.resolve();
    };
    if (signal.aborted) return;
    signal.addEventListener('abort', end, { once: true });
    const stop = host.listen({
      onEvent: (event, runsHere) => this.#hear(event, runsHere),
      onFailed: (error) => this.#ended.reject(error),
    });
    const place = takePlace(share, (partitions, wasMember) => this.#assign(partitions, wasMember));
    try {
      await Promise.race([place.joined, this.#ended.promise]);
      this.#lookBack().catch((error: unknown) => this.#ended.reject(error));
      await this.#ended.promise;
    } finally {
      this.#isOver = true;
      signal.removeEventListener('abort', end);
      stop();
      this.#release(this.#underWay);
      await place.leave();
      await Promise.all(this.#runs);
    }
  }

  async #lookBack(): Promise<void> {
    for await (const { id, newest } of unfinishedSessions(this.#o.log)) {
      if (this.#isOver) return;
      const partition = this.#partitionOf(newest);
      this.#unfinished.set(id, partition);
      if (this.#assigned.has(partition)) this.#enqueue(id, { partition, reason: 'abandoned', looks: 0 });
    }
  }

  #partitionOf({ position }: LogEvent): number {
    return placeOf(position, this.#o.log.capabilities.partitions).partition;
  }

  #assign(partitions: readonly number[], wasMember: boolean): void {
    if (this.#isOver) return;
    // What it kept by name only, others may have run meanwhile, and let go of.
    const kept = wasMember ? this.#assigned : new Set();
    const isKept = (id: string, partition: number): boolean => kept.has(partition) && this.#underWay.has(id);
    this.#assigned = new Set(partitions);
    this.#tell({ type: 'assigned', partitions });
    for (const [id, { partition }] of this.#due) if (!this.#assigned.has(partition)) this.#due.delete(id);
    const lost = [...this.#underWay].filter(([, { partition }]) => !this.#assigned.has(partition));
    this.#release(lost);
    for (const [id, partition] of this.#unfinished) {
      // Also of a partition that it keeps: somebody who lost it, and did not know yet, may have claimed a session there.
      if (this.#assigned.has(partition) && !isKept(id, partition)) this.#enqueue(id, { partition, reason: 'abandoned', looks: 0 });
    }
  }

  #release(sessions: Iterable<[string, UnderWay]>): void {
    for (const [id, one] of [...sessions]) {
      one.isReleased = true;
      this.#o.host.release([id]);
    }
  }

  #hear(event: LogEvent, runsHere: boolean): void {
    const id = idOfStream(event.stream);
    const partition = this.#partitionOf(event);
    const isAtRest = isAtRestAfter(event);
    const wasPassedOver = this.#passedOver.delete(id);
    if (isAtRest === true) {
      this.#unfinished.delete(id);
      this.#outrun.delete(id);
    } else if (isAtRest === false || wasPassedOver) this.#unfinished.set(id, partition);
    if (!runsHere && isRequest(event) && this.#assigned.has(partition)) this.#enqueue(id, { partition, reason: 'asked', looks: 0 });
  }

  #enqueue(id: string, due: Due): void {
    const underWay = this.#underWay.get(id);
    const before = underWay === undefined ? this.#due.get(id) : underWay.again;
    const both = before != null && REASONS.indexOf(before.reason) > REASONS.indexOf(due.reason) ? before : due;
    if (underWay !== undefined) underWay.again = both;
    else this.#due.set(id, both);
    this.#takeMore();
  }

  #takeMore(): void {
    for (const [id, due] of this.#due) {
      if (this.#isOver || this.#underWay.size >= this.#concurrency) return;
      this.#due.delete(id);
      const run = this.#runOne(id, due).finally(() => this.#runs.delete(run));
      this.#runs.add(run);
    }
  }

  async #runOne(id: string, due: Due): Promise<void> {
    const { partition } = due;
    const underWay: UnderWay = { partition, isTaken: false, isReleased: false, again: null, isOutrun: false };
    this.#underWay.set(id, underWay);
    try {
      const session = await this.#o.host.take(id, this.#choice(id, due, underWay));
      if (session !== null) {
        underWay.isTaken = true;
        // It was on its way when the partition went.
        if (underWay.isReleased) this.#o.host.release([id]);
        this.#tell({ type: 'taken', session: id });
        this.#tell({ type: 'rested', session: id, result: await session.done() });
        this.#failed = 0;
      } else if (underWay.isOutrun && due.reason !== 'abandoned') this.#lookAgainWhenOutrun(id, partition);
      else this.#lookAgain(id, due);
    } catch (error) {
      this.#onFailed(id, underWay, error);
      if (isDreamfoldError(error, 'fenced') && !underWay.isReleased) this.#lookAgainWhenOutrun(id, partition);
    }
    this.#underWay.delete(id);
    const { again, isTaken, isReleased } = underWay;
    // While it ran here, nobody had abandoned it.
    const next = again !== null && isTaken && !isReleased ? { ...again, reason: 'asked' as const } : again;
    if (next !== null && this.#assigned.has(partition) && !this.#isOver) this.#enqueue(id, next);
    else this.#takeMore();
  }

  /** Whoever was faster may be gone, or may have let go of it before it heard of what is asked. */
  #lookAgain(id: string, due: Due, pauseMs = LOOK_AGAIN_MS * 2 ** due.looks): void {
    const { partition, reason, looks } = due;
    if (!this.#unfinished.has(id) || (reason === 'asked' && looks >= MAX_LOOKS)) return;
    const again = (): void => {
      if (this.#isOver || !this.#unfinished.has(id) || !this.#assigned.has(partition) || this.#underWay.has(id)) return;
      this.#enqueue(id, { ...due, looks: looks + 1 });
    };
    setTimeout(again, Math.min(pauseMs, MAX_LOOK_AGAIN_MS)).unref();
  }

  /** Who took it may have lost the partition before, and lets go of it when it hears so. Each time later: this one may be who has not heard. */
  #lookAgainWhenOutrun(id: string, partition: number): void {
    const times = this.#outrun.get(id) ?? 0;
    this.#outrun.set(id, times + 1);
    this.#lookAgain(id, { partition, reason: 'outrun', looks: 0 }, OUTRUN_MS * 2 ** times);
  }

  /** Whether a session is to be taken, and with which team: not when another worker claims it meanwhile. */
  #choice(id: string, { reason }: Due, underWay: UnderWay): (state: SessionState) => SessionTeam | null {
    let epoch: number | null = null;
    return (state) => {
      const { status, claimedByWorker } = state;
      epoch ??= state.epoch;
      if (state.suspended !== null) mustRun(state);
      const isDue = status === 'idle' || reason === 'abandoned' || (reason === 'outrun' && claimedByWorker);
      underWay.isOutrun = status !== 'idle' && claimedByWorker;
      if (!hasSomethingToDo(state)) this.#unfinished.delete(id);
      else if (isDue && state.epoch === epoch) return this.#teamOf(state);
      return null;
    };
  }

  #teamOf({ id, team: { lead } }: SessionState): SessionTeam | null {
    const team = this.#teams.get(lead);
    if (team !== undefined) return team;
    const error = new DreamfoldError('unknown_agent', `This worker has no team that ${lead} leads, so ${id} and its like are left alone`, {
      path: 'team',
      value: lead,
      remedy: 'Start a worker with the file of that team.',
    });
    this.#leave(`lead ${lead}`, { session: id, error });
    return null;
  }

  #leave(what: string, { session, error }: { session: string; error: DreamfoldError }): void {
    // It would be read for ever, and to no end: only what happens to it can make it this worker's.
    if (this.#unfinished.delete(session)) this.#passedOver.add(session);
    if (this.#left.has(what)) return;
    this.#left.add(what);
    this.#tell({ type: 'left', session, error });
  }

  /** Of one session, or of the log. */
  #onFailed(session: string, { isTaken, isReleased }: UnderWay, error: unknown): void {
    if (this.#isOver) return;
    if (isReleased || isDreamfoldError(error, 'fenced')) {
      if (isTaken) this.#tell({ type: isReleased ? 'handed_over' : 'lost', session });
    } else if (isOneOf(error, LOG_FAILURES)) this.#ended.reject(error);
    else if (isOneOf(error, NOT_OURS)) this.#leave(session, { session, error });
    else {
      this.#failed += 1;
      this.#tell({ type: 'failed', session, error });
      if (this.#failed === MAX_FAILED) this.#ended.reject(error);
    }
  }
}

/** @throws DreamfoldError invalid_argument */
function byLead(teams: readonly SessionTeam[]): ReadonlyMap<string, SessionTeam> {
  const known = new Map(teams.map((one) => [one.team.snapshot.lead, one]));
  if (known.size === teams.length && known.size > 0) return known;
  const leads = teams.map(({ team }) => team.snapshot.lead);
  throw new DreamfoldError('invalid_argument', known.size === 0 ? 'A worker needs a team' : `Two teams have the lead ${repeated(leads)}`, {
    path: 'teams',
    value: leads,
    remedy: known.size === 0 ? 'Give it one.' : 'Give each lead a name of its own: that is how a session finds its team.',
  });
}

function repeated(names: readonly string[]): string {
  return names.find((name, i) => names.indexOf(name) !== i)!;
}
