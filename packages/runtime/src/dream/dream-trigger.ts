import { isDreamfoldError, type LogEvent } from '@dreamfold/events';
import { backoffMs } from '@dreamfold/core';
import { advanced, cursorAtStart, type Cursor, type Log, type Time } from '@dreamfold/log';
import { checkDreamRules, startSchedule, type DreamRule } from './dream-rule.ts';
import type { Dreamer, DreamReport } from './dreamer.ts';
import type { MemoryKeeper } from '../memory/memory-keeper.ts';
import { sha256 } from '../digest.ts';
import { safely } from '../safely.ts';
import { StoreDreams } from './store-dreams.ts';
import { faultOf } from '../thrown.ts';
import { FinishedSessions, UnreviewedSessions } from './unreviewed-sessions.ts';
import { systemTime } from '../time/system-time.ts';
import { shareOf, takePlace, type WorkPlace, type WorkShare } from '../worker/work-share.ts';

/** Dreams of one store that fail in a row for the same reason, before it is the operator's turn. */
const MAX_FAILURES = 3;

/** The first pause after a dream that failed, or that another dreamer was faster to claim; each further one is twice as long. */
const PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;

/** So long a store may be due that is another dreamer's: that one may not have been told to dream for it. */
const PATIENCE_MS = 30_000;

/** What happens while nobody asks. `store` is what its rule calls it. */
export type DreamNews =
  | { type: 'dreamt'; store: string; report: DreamReport }
  /** Another dreamer reviews the same sessions. That is no failure. */
  | { type: 'claimed_elsewhere'; store: string; error: Error }
  /** `failures` in a row, for the same reason. It is dreamt again, unless `stopped` follows. */
  | { type: 'failed'; store: string; error: unknown; failures: number }
  /** Nothing is dreamt any more. */
  | { type: 'stopped'; error: unknown };

export interface TriggerOptions {
  log: Log;
  memory: MemoryKeeper;
  dreamer: Dreamer;
  rules: readonly DreamRule[];
  /** Dreams what is due by now, and ends. */
  once?: boolean;
  tell?: (news: DreamNews) => void;
  /** Ends it, after the dreams under way. */
  signal: AbortSignal;
  /** Which dreamer is to dream for which store. Default: that of the log. */
  share?: WorkShare;
  /** Default a second. */
  pauseMs?: number;
  /** After how long it dreams for a store that is another dreamer's. Default 30 seconds. */
  patienceMs?: number;
  /** Default the machine's. */
  time?: Time;
}

/**
 * Follows a log and dreams for each store by its rule, one dream of a store at a time. Dreamers of a shared log share out the stores, and
 * dream for another's only when it stays due: the first event of a dream claims what it reviews, so nothing is dreamt twice. What counts
 * is on the log: sessions that finished before it ran count too, and a dream that ran elsewhere, or that a person asked for, is as good
 * as one of its own.
 * Resolves once the signal is aborted and the dreams under way have ended.
 * @throws DreamfoldError invalid_argument (a rule); what a dream fails with three times in a row; what following the log fails with
 */
export async function dreamByRules(options: TriggerOptions): Promise<void> {
  const { log, memory, dreamer, rules, once = false, tell = () => {}, time = systemTime } = options;
  const { pauseMs = PAUSE_MS, patienceMs = PATIENCE_MS } = options;
  const { partitions } = log.capabilities;
  checkDreamRules(rules);
  if (options.signal.aborted) return;
  const ended = new AbortController();
  const faults: unknown[] = [];
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const giveUp = (error: unknown): void => {
    faults.push(error);
    ended.abort();
  };
  const dreams = new StoreDreams(log, time.now);
  // Whoever dreams what is due by now, and ends, waits for no share of it.
  let assigned: readonly number[] = once ? [...Array(partitions).keys()] : [];
  const stores = rules.map((rule) => {
    const id = memory.idOf(rule.store);
    const unreviewed = new UnreviewedSessions(dreams, id, partitions);
    const isMine = (): boolean => assigned.includes(shareOfStore(id, partitions));
    return new StoreTrigger({ rule, unreviewed, isMine, dreamer, once, time, pauseMs, patienceMs, signal, tell: safely(tell), giveUp });
  });
  const considerAll = (): void => stores.forEach((store) => store.consider());
  const schedules: (() => void)[] = [];
  let place: WorkPlace | null = null;
  try {
    const follower = new Follower(log, time, stores);
    await follower.catchUp(signal);
    if (!once) {
      const { share = shareOf(log, 'dreamers') } = options;
      place = takePlace(share, (now) => {
        assigned = now;
        considerAll();
      });
      place.joined.catch(giveUp);
    }
    considerAll();
    if (once) await Promise.all(stores.map((store) => store.atRest()));
    else {
      for (const store of stores) schedules.push(...store.startSchedule());
      await follower.follow(signal);
    }
  } catch (error) {
    giveUp(error);
  }
  ended.abort();
  for (const stop of schedules) stop();
  await place?.leave();
  await Promise.all(stores.map((store) => store.atRest()));
  if (faults.length === 0) return;
  safely(tell)({ type: 'stopped', error: faults[0] });
  throw faults[0];
}

/** Any number that every dreamer finds alike. */
function shareOfStore(id: string, partitions: number): number {
  return Buffer.from(sha256(id), 'base64url').readUInt32BE() % partitions;
}

/** Reads a log from where the stores' dreams have come to. */
class Follower {
  readonly #log: Log;
  readonly #time: Time;
  readonly #stores: readonly StoreTrigger[];
  readonly #sessions: FinishedSessions;
  #cursor: Cursor;

  constructor(log: Log, time: Time, stores: readonly StoreTrigger[]) {
    this.#log = log;
    this.#time = time;
    this.#stores = stores;
    this.#sessions = new FinishedSessions(log);
    this.#cursor = cursorAtStart(log.capabilities.partitions);
  }

  /** Reads what is on the log by now; nothing is dreamt meanwhile, so that one dream reviews all of it. */
  async catchUp(signal: AbortSignal): Promise<void> {
    for (const { unreviewed } of this.#stores) await unreviewed.refresh();
    const reviewed = this.#stores.map(({ unreviewed }) => unreviewed.reviewedThrough);
    this.#cursor = this.#cursor.map((_, i) => Math.min(...reviewed.map((seen) => seen[i]!)));
    for await (const batch of this.#log.readRange(this.#cursor, await this.#log.cursor())) {
      if (signal.aborted) return;
      for (const event of batch) await this.#see(event);
      // A log that is read in this process never waits for anything: signals and sessions must get their turn.
      await this.#time.sleep(0);
    }
  }

  async follow(signal: AbortSignal): Promise<void> {
    for await (const batch of this.#log.subscribe({ after: this.#cursor, signal })) {
      for (const event of batch) await this.#see(event);
      for (const store of this.#stores) store.consider();
    }
  }

  async #see(event: LogEvent): Promise<void> {
    this.#cursor = advanced(this.#cursor, event.position);
    if (event.stream.startsWith('session/')) {
      const isFinished = await this.#sessions.isFinishedAt(event);
      for (const { unreviewed } of this.#stores) unreviewed.add(event, isFinished);
    } else if (event.type === 'dream.completed' || event.type === 'dream.failed') {
      for (const { unreviewed } of this.#stores) if (unreviewed.isOfNextDream(event)) await unreviewed.refresh();
    }
  }
}

interface StoreParts {
  rule: DreamRule;
  unreviewed: UnreviewedSessions;
  /** No other dreamer is to dream for it. */
  isMine: () => boolean;
  dreamer: Dreamer;
  once: boolean;
  time: Time;
  pauseMs: number;
  patienceMs: number;
  tell: (news: DreamNews) => void;
  signal: AbortSignal;
  giveUp: (error: unknown) => void;
}

/** Dreams for one store when its rule says so. */
class StoreTrigger {
  readonly unreviewed: UnreviewedSessions;
  readonly #parts: StoreParts;
  readonly #after: number;
  /** A time of the schedule has come. */
  #isTime: boolean;
  #dreaming: Promise<void> | null = null;
  #isWaiting = false;
  #failures: { reason: string; count: number } = { reason: '', count: 0 };

  constructor(parts: StoreParts) {
    const { after, schedule } = parts.rule;
    this.#parts = parts;
    this.#isTime = parts.once && after === undefined;
    this.unreviewed = parts.unreviewed;
    this.#after = after ?? (schedule === undefined ? 1 : Number.POSITIVE_INFINITY);
  }

  startSchedule(): (() => void)[] {
    const { rule, time } = this.#parts;
    const { schedule } = rule;
    if (schedule === undefined) return [];
    const tick = (): void => {
      this.#isTime = true;
      this.consider();
    };
    return [startSchedule(schedule, time, tick)];
  }

  /** Begins to dream when it is due and no dream is under way; somewhat later when it is another dreamer's to do. */
  consider(): void {
    if (this.#dreaming !== null) return;
    if (!this.#isDue()) this.#isTime = false;
    else if (this.#parts.isMine()) this.#dreaming = this.#dreamWhileDue();
    else this.#waitForOther();
  }

  #waitForOther(): void {
    if (this.#isWaiting) return;
    const { reviewedThrough } = this.unreviewed;
    const onTime = (): void => {
      this.#isWaiting = false;
      if (this.#dreaming !== null) return;
      // The other one is at work, and will get to what is left.
      if (this.unreviewed.reviewedThrough !== reviewedThrough) this.consider();
      else if (this.#isDue()) this.#dreaming = this.#dreamWhileDue();
    };
    const { time, patienceMs } = this.#parts;
    this.#isWaiting = true;
    time.after(patienceMs, onTime, { background: true });
  }

  async atRest(): Promise<void> {
    await this.#dreaming;
  }

  #isDue(): boolean {
    const { count } = this.unreviewed;
    return !this.#parts.signal.aborted && count > 0 && (this.#isTime || count >= this.#after);
  }

  async #dreamWhileDue(): Promise<void> {
    const { once, time, pauseMs, signal, giveUp } = this.#parts;
    try {
      for (let pauses = 0; this.#isDue();) {
        const ended = await this.#dream();
        await this.unreviewed.refresh();
        if (ended === 'dreamt') {
          this.#isTime = false;
          pauses = 0;
        } else if (once && ended === 'claimed_elsewhere') {
          break;
        } else {
          pauses += 1;
          await time.sleep(backoffMs(pauses, { firstMs: pauseMs, maxMs: MAX_PAUSE_MS }), signal).catch(() => null);
        }
      }
    } catch (error) {
      giveUp(error);
    } finally {
      // Right after the last look, so that nothing comes due unseen.
      this.#dreaming = null;
    }
  }

  /** @throws the error of a dream that failed once too often */
  async #dream(): Promise<DreamNews['type']> {
    const { dreamer, tell, rule } = this.#parts;
    const { store, constitution } = rule;
    let news: DreamNews;
    try {
      const report = await dreamer.dream({ store, ...(constitution === undefined ? {} : { constitution }) });
      news = { type: 'dreamt', store, report };
      this.#failures = { reason: '', count: 0 };
    } catch (error) {
      news = isClaimLost(error)
        ? { type: 'claimed_elsewhere', store, error }
        : { type: 'failed', store, error, failures: this.#count(error) };
    }
    tell(news);
    if (news.type === 'failed' && news.failures >= MAX_FAILURES) throw news.error;
    return news.type;
  }

  #count(error: unknown): number {
    const { code, message } = faultOf(error);
    const reason = code ?? message;
    this.#failures = { reason, count: reason === this.#failures.reason ? this.#failures.count + 1 : 1 };
    return this.#failures.count;
  }
}

/** Another dreamer has begun this dream, or has taken it over because it seemed to be dead. */
function isClaimLost(error: unknown): error is Error {
  if (isDreamfoldError(error, 'store_locked')) return error.path === 'store';
  return isDreamfoldError(error, 'head_conflict') && error.path?.startsWith('dream/') === true;
}
