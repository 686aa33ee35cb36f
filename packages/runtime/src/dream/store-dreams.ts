import { idFrom, isDreamfoldError, streamOf, type DreamStarted } from '@dreamfold/events';
import {
  evolveDream,
  initialDream,
  learn,
  newKnowledge,
  proposedPatches,
  storedValues,
  type DreamState,
  type Knowledge,
} from '@dreamfold/dreaming';
import { cursorAtStart, fold, hasEnded, seenBy, thisProcess, type Cursor, type Log } from '@dreamfold/log';
import { ABANDONED_MS, DreamStream, dreamEvent, underWay } from './dream-stream.ts';
import { sha256 } from '../digest.ts';
import type { StoreSummary } from '../memory/memory-keeper.ts';
import type { SessionReview } from './session-review.ts';

/** A review of so few events is claimed with the first that the dream writes, and a longer one before it. */
const SHORT_REVIEW = 256;

/** What the dreams of one store came to, as far as it was read. */
export interface StoreView {
  knowledge: Knowledge;
  /** For each insight that was put forward, the patch that did so last. */
  proposed: Map<string, string>;
  /** The last dream of the store, 0 when there is none. */
  number: number;
  /** What this cursor of the log has seen has been reviewed. */
  reviewedThrough: Cursor;
}

/** A dream that has begun here. */
export interface Claim {
  dreamId: string;
  started: DreamStarted;
  stream: DreamStream;
  /** The last event of the store when the dream began. */
  memorySeq: number;
}

/**
 * The dreams of each store, counted. Dream `n` has one stream, and its first event claims what it reviews; so of two
 * dreamers one begins it, and of neither counts what the other reviews.
 */
export class StoreDreams {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #views = new Map<string, StoreView>();

  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  idOf(store: string, number: number): string {
    return idFrom('dream', sha256(`${store}/dream/${number}`));
  }

  load(dreamId: string): Promise<DreamState> {
    return fold(this.#log, streamOf('dream', dreamId), { initial: initialDream, evolve: evolveDream });
  }

  /** What is derived here is built again from the log, the next time. */
  forget(store: string): void {
    this.#views.delete(store);
  }

  /**
   * What earlier dreams came to, wherever they ran. The first time in a process their sessions are read again.
   * @throws DreamfoldError store_locked: a dream of this store is under way elsewhere
   */
  async view({ id: store, state: memory }: StoreSummary, review: SessionReview): Promise<StoreView> {
    let view = this.#views.get(store);
    if (view === undefined) {
      view = {
        knowledge: newKnowledge(),
        proposed: proposedPatches(memory),
        number: 0,
        reviewedThrough: cursorAtStart(this.#log.capabilities.partitions),
      };
      this.#views.set(store, view);
    }
    for (;;) {
      const dreamId = this.idOf(store, view.number + 1);
      const { seq } = await this.#log.head(streamOf('dream', dreamId));
      if (seq === 0) return view;
      const dream = await this.load(dreamId);
      if (dream.status === 'running') await this.#endAbandoned(dreamId, dream);
      if (dream.status === 'completed') {
        const stored = storedValues(memory);
        for (const { session_id: id, through_seq: through } of dream.reviewed.sessions) {
          const episode = await review.upTo(id, through);
          if (episode !== null) learn(view.knowledge, episode, { store, stored });
        }
        this.advance(view, dream.started!);
        view.proposed = proposedPatches(memory);
      } else {
        view.number += 1;
      }
    }
  }

  /** Notes that a dream has been completed. */
  advance(view: Pick<StoreView, 'number' | 'reviewedThrough'>, { number, log_id: logId, through, sessions }: DreamStarted): void {
    view.number = number;
    // Cursors of another log say nothing here: what it reviewed is read again, and counts once all the same.
    if (sessions !== undefined || logId !== this.#log.logId) return;
    view.reviewedThrough = view.reviewedThrough.map((seen, i) => Math.max(seen, through[i] ?? 0));
  }

  /**
   * Passes over what a dream has written, when nothing else has come onto the log since it began: there is no session in it.
   */
  async passOver(view: StoreView, { started, stream, memorySeq }: Claim): Promise<void> {
    if (view.reviewedThrough.some((seen, i) => seen !== started.through[i])) return;
    const written = stream.seq + (await this.#log.head(streamOf('memory', started.store_id))).seq - memorySeq;
    // All of it stands behind what was claimed, so nothing else does when there is no more than that.
    const cursor = await this.#log.cursor();
    if (seenBy(cursor) - seenBy(started.through) === written) view.reviewedThrough = cursor;
  }

  /**
   * Begins the next dream of a store, and claims all that is new on the log, or the named sessions.
   * @throws DreamfoldError store_locked: another dreamer was faster
   */
  async begin(store: string, view: StoreView, sessions: readonly string[] | undefined): Promise<Claim> {
    const number = view.number + 1;
    const dreamId = this.idOf(store, number);
    const stream = new DreamStream(this.#log, dreamId);
    const started: DreamStarted = {
      store_id: store,
      number,
      log_id: this.#log.logId,
      after: [...view.reviewedThrough],
      through: [...(await this.#log.cursor())],
      ...(sessions === undefined ? {} : { sessions: [...sessions] }),
      by: thisProcess(),
    };
    const { seq: memorySeq } = await this.#log.head(streamOf('memory', store));
    stream.hold(dreamEvent('dream.started', started));
    if (sessions !== undefined || seenBy(started.through) - seenBy(started.after) > SHORT_REVIEW) await stream.begin();
    return { dreamId, started, stream, memorySeq };
  }

  async #endAbandoned(dreamId: string, dream: DreamState): Promise<void> {
    const stream = streamOf('dream', dreamId);
    const by = dream.started?.by;
    const until = dream.time + ABANDONED_MS;
    const isGone = by !== undefined && hasEnded(by);
    if (!isGone && this.#now() < until) throw underWay(stream, { by, until });
    const message = isGone ? `Its process ${by.pid} has ended.` : `It wrote nothing for ${ABANDONED_MS / 1000} seconds.`;
    try {
      await new DreamStream(this.#log, dreamId, dream.seq).append(dreamEvent('dream.failed', { error: { type: 'abandoned', message } }));
    } catch (conflict) {
      throw isDreamfoldError(conflict, 'head_conflict') ? underWay(stream, null) : conflict;
    }
  }
}
