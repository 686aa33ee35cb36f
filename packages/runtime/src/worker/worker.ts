import { DreamfoldError, idOfStream, type LogEvent } from '@dreamfold/events';
import {
  initialWorker,
  isToBeTaken,
  mustRun,
  restAfter,
  stepWorker,
  type SessionState,
  type WorkerIntent,
  type WorkerObservation,
  type WorkerNews as News,
  type WorkerState,
} from '@dreamfold/core';
import { placeOf, type Log, type Time } from '@dreamfold/log';
import { safely } from '../safely.ts';
import type { SessionHost, SessionTeam } from '../session/session-host.ts';
import type { SessionResult } from '../session/session.ts';
import { MACHINE, type Surroundings } from '../time/surroundings.ts';
import { keepAlive } from '../time/system-time.ts';
import { byLead } from './teams-by-lead.ts';
import { unfinishedSessions } from './unfinished-sessions.ts';
import { shareOf, takePlace, type WorkShare } from './work-share.ts';

const DEFAULT_CONCURRENCY = 100;

/** What happens to the sessions of a worker. */
export type WorkerNews = News<SessionResult>;

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
  /** Default the machine's. */
  time?: Time;
  /** From 0 to 1. Default the machine's. */
  random?: () => number;
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
  const { concurrency = DEFAULT_CONCURRENCY, teams, host, time = MACHINE.time, random = MACHINE.random } = options;
  const known = byLead(teams);
  for (const team of teams) host.checkModels(team);
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new DreamfoldError('invalid_argument', `A worker cannot run ${concurrency} sessions at once`, {
      path: 'concurrency',
      value: concurrency,
      remedy: 'Give a whole number from 1 on.',
    });
  }
  // Nothing else keeps a process alive that waits for work.
  const letEnd = keepAlive(time);
  try {
    await new Worker({ ...options, concurrency, time, random, known }).run();
  } finally {
    letEnd();
  }
}

type WorkerParts = WorkerOptions & Surroundings & { concurrency: number; known: ReadonlyMap<string, SessionTeam> };

/** Performs what `stepWorker` decides, and tells it what became of that. */
class Worker {
  readonly #o: WorkerParts;
  readonly #tell: (news: WorkerNews) => void;
  readonly #state: WorkerState;
  readonly #runs = new Set<Promise<void>>();
  readonly #ended = Promise.withResolvers<void>();

  constructor(parts: WorkerParts) {
    this.#o = parts;
    this.#tell = safely(parts.tell ?? (() => {}));
    const { concurrency, log, random } = parts;
    this.#state = initialWorker({ concurrency, seed: Math.floor(random() * 2 ** 32), node: log.partitions?.node ?? null });
    // It may fail before anybody waits for it.
    this.#ended.promise.catch(() => {});
  }

  async run(): Promise<void> {
    const { log, host, share = shareOf(log, 'workers'), signal } = this.#o;
    if (signal.aborted) return;
    const end = (): void => {
      this.#state.isOver = true;
      this.#ended.resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    const stop = host.listen({
      onEvent: (event, runsHere) => this.#hear(event, runsHere),
      onFailed: (error) => this.#ended.reject(error),
    });
    const place = takePlace(share, (partitions, wasMember) => this.#observe({ type: 'assigned', partitions, wasMember }));
    try {
      // What nobody takes up is done also by one that the others still let wait.
      Promise.all([place.joined, this.#lookBack()]).catch((error: unknown) => this.#ended.reject(error));
      await this.#ended.promise;
    } finally {
      signal.removeEventListener('abort', end);
      stop();
      this.#observe({ type: 'over' });
      await place.leave();
      await Promise.all(this.#runs);
    }
  }

  async #lookBack(): Promise<void> {
    const { log, time } = this.#o;
    for await (const { id, newest, ...rest } of unfinishedSessions(log, time)) {
      if (this.#state.isOver) return;
      const of = { session: id, partition: this.#partitionOf(newest), seq: newest.seq, ageMs: time.now() - newest.time };
      this.#observe({ type: 'found', ...of, ...rest });
    }
  }

  #hear(event: LogEvent, runsHere: boolean): void {
    const of = { session: idOfStream(event.stream), partition: this.#partitionOf(event), seq: event.seq };
    this.#observe({ type: 'heard', ...of, rest: restAfter(event), isClaim: event.type === 'session.claimed', runsHere });
  }

  #partitionOf({ position }: LogEvent): number {
    return placeOf(position, this.#o.log.capabilities.partitions).partition;
  }

  #observe(seen: WorkerObservation<SessionResult>): void {
    for (const intent of stepWorker(this.#state, seen)) this.#perform(intent);
  }

  #perform(intent: WorkerIntent<SessionResult>): void {
    switch (intent.type) {
      case 'claim': {
        const run = this.#run(intent).finally(() => this.#runs.delete(run));
        this.#runs.add(run);
        return;
      }
      case 'look_again': {
        const { session, due, afterMs } = intent;
        this.#o.time.after(afterMs, () => this.#observe({ type: 'due_again', session, due }), { background: true });
        return;
      }
      case 'release':
        return this.#o.host.release([intent.session]);
      case 'tell':
        return this.#tell(intent.news);
      case 'give_up':
        return this.#ended.reject(intent.error);
    }
  }

  async #run({ session: id, untaken }: Extract<WorkerIntent, { type: 'claim' }>): Promise<void> {
    try {
      const session = await this.#o.host.take(id, (state) => this.#choose(id, state), { untaken });
      if (session === null) return this.#observe({ type: 'passed', session: id });
      this.#observe({ type: 'taken', session: id });
      this.#observe({ type: 'rested', session: id, result: await session.done() });
    } catch (error) {
      this.#observe({ type: 'failed', session: id, error });
    }
  }

  /** Whether a session is to be taken, and with which team. */
  #choose(id: string, state: SessionState): SessionTeam | null {
    if (state.suspended !== null) mustRun(state);
    const team = this.#o.known.get(state.team.lead);
    this.#observe({ type: 'seen', session: id, state, hasTeam: team !== undefined });
    return team !== undefined && isToBeTaken(this.#state, id, state) ? team : null;
  }
}
