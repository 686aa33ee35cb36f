import {
  DreamfoldError,
  idFrom,
  isDreamfoldError,
  streamOf,
  type DreamCancelled,
  type DreamStarted,
  type NewEvent,
} from '@dreamfold/events';
import {
  evolveDream,
  evolveGuard,
  initialDream,
  learn,
  newKnowledge,
  storedValues,
  UNGUARDED,
  type DreamState,
  type Episode,
  type GuardLife,
  type Knowledge,
} from '@dreamfold/dreaming';
import { cursorAtStart, fold, hasEnded, positionOf, seenBy, thisProcess, type Cursor, type Log } from '@dreamfold/log';
import { ABANDONED_MS, DreamStream, dreamEvent, underWay } from './dream-stream.ts';
import { sha256 } from '../digest.ts';
import type { Surroundings } from '../time/surroundings.ts';
import { decideAgain } from '../session/decide-again.ts';
import type { MemoryKeeper } from '../memory/memory-keeper.ts';
import type { SessionReview } from './session-review.ts';

/** A review of so few events is claimed with the first that the dream writes, and a longer one before it. */
const SHORT_REVIEW = 256;

/** What the dreams of one store came to, as far as it was read. */
export interface StoreView {
  knowledge: Knowledge;
  /** The last dream of the store, 0 when there is none. */
  number: number;
  /** What this cursor of the log has seen has been reviewed. */
  reviewedThrough: Cursor;
  /** What the guard has found in the looks of earlier dreams. */
  guardLife: GuardLife;
  /** The next dream, when it was begun and its process has died. */
  left: { dreamId: string; dream: DreamState } | null;
}

/** What a dream is to do. */
export interface DreamRequest {
  /** Default all that is new on the log. */
  sessions: readonly string[] | undefined;
  options: NonNullable<DreamStarted['options']>;
  /** What whoever asks for it suggests: it stands on the log with the claim, or the dream has not begun. */
  suggested: readonly NewEvent[];
}

/** A dream that is this dreamer's. */
export interface Claim {
  started: DreamStarted;
  stream: DreamStream;
  /** The last event of the store when the dream began; null for one that was taken over. */
  memorySeq: number | null;
}

/**
 * The dreams of each store, counted. Dream `n` has one stream, and its first event claims what it reviews; so of two
 * dreamers one begins it, and of neither counts what the other reviews.
 */
export class StoreDreams {
  readonly #log: Log;
  readonly #surroundings: Surroundings;
  readonly #views = new Map<string, StoreView>();

  constructor(log: Log, surroundings: Surroundings) {
    this.#log = log;
    this.#surroundings = surroundings;
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
   * @param store its id
   * @throws DreamfoldError store_locked: a dream of this store is under way elsewhere
   */
  async view(store: string, memory: Pick<MemoryKeeper, 'load'>, review: SessionReview): Promise<StoreView> {
    let view = this.#views.get(store);
    if (view === undefined) {
      view = {
        knowledge: newKnowledge(),
        number: 0,
        guardLife: UNGUARDED,
        reviewedThrough: cursorAtStart(this.#log.capabilities.partitions),
        left: null,
      };
      this.#views.set(store, view);
    }
    view.left = null;
    for (;;) {
      const dreamId = this.idOf(store, view.number + 1);
      const { seq } = await this.#log.head(streamOf('dream', dreamId));
      if (seq === 0) return view;
      const dream = await this.load(dreamId);
      await this.#untilHere(dream);
      if (dream.status === 'running') {
        this.#needAbandoned(dreamId, dream);
        view.left = { dreamId, dream };
        return view;
      }
      if (dream.status === 'completed') {
        const stored = storedValues((await memory.load(store)).state);
        for (const episode of await this.episodes(dream, review)) learn(view.knowledge, episode, { store, stored });
        this.advance(view, dream.started!);
        view.guardLife = evolveGuard(view.guardLife, dream.refined);
      } else {
        view.number += 1;
      }
    }
  }

  /** What a dream has reviewed, without what is not there any more. */
  async episodes({ reviewed }: DreamState, review: SessionReview): Promise<Episode[]> {
    const episodes: Episode[] = [];
    for (const { session_id: id, through_seq: through } of reviewed.sessions) {
      const episode = await review.upTo(id, through);
      if (episode !== null) episodes.push(episode);
    }
    return episodes;
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
    if (memorySeq === null || view.reviewedThrough.some((seen, i) => seen !== started.through[i])) return;
    const written = stream.seq + (await this.#log.head(streamOf('memory', started.store_id))).seq - memorySeq;
    // All of it stands behind what was claimed, so nothing else does when there is no more than that.
    const cursor = await this.#log.cursor();
    if (seenBy(cursor) - seenBy(started.through) === written) view.reviewedThrough = cursor;
  }

  /**
   * Begins the next dream of a store, and claims all that is new on the log, or the named sessions.
   * @throws DreamfoldError store_locked: another dreamer was faster
   */
  async begin(store: string, view: StoreView, { sessions, options, suggested }: DreamRequest): Promise<Claim> {
    const number = view.number + 1;
    const stream = new DreamStream(this.#log, this.idOf(store, number));
    const started: DreamStarted = {
      store_id: store,
      number,
      log_id: this.#log.logId,
      after: [...view.reviewedThrough],
      through: [...(await this.#log.cursor())],
      ...(sessions === undefined ? {} : { sessions: [...sessions] }),
      by: thisProcess(),
      options,
    };
    const { seq: memorySeq } = await this.#log.head(streamOf('memory', store));
    stream.hold(dreamEvent('dream.started', started), ...suggested);
    if (sessions !== undefined || seenBy(started.through) - seenBy(started.after) > SHORT_REVIEW) await stream.flush();
    return { started, stream, memorySeq };
  }

  /**
   * Takes over a dream that was left, to go on with it. One that cannot be gone on with, because an older Dreamfold began it, is ended.
   * @returns null when it was ended
   * @throws DreamfoldError store_locked: another dreamer was faster
   */
  async takeOver({ dreamId, dream }: NonNullable<StoreView['left']>): Promise<Claim | null> {
    const started = dream.started!;
    const stream = new DreamStream(this.#log, dreamId, dream);
    const isResumable = started.options !== undefined;
    const error = { type: 'abandoned', message: 'Its process has ended, or wrote nothing for too long; an older version began it.' };
    stream.hold(isResumable ? dreamEvent('dream.claimed', { by: thisProcess() }) : dreamEvent('dream.failed', { error }));
    try {
      await stream.flush();
    } catch (conflict) {
      throw isDreamfoldError(conflict, 'head_conflict') ? underWay(streamOf('dream', dreamId), null) : conflict;
    }
    return isResumable ? { started, stream, memorySeq: null } : null;
  }

  /** @throws DreamfoldError not_found, precondition_failed: it has ended */
  async cancel(dreamId: string, cancelled: DreamCancelled): Promise<void> {
    await decideAgain(async () => {
      const dream = await this.load(dreamId);
      if (dream.status === 'cancelled') return;
      if (dream.status !== 'running') throw notUnderWay(dreamId, dream);
      const stream = new DreamStream(this.#log, dreamId, dream);
      stream.hold(dreamEvent('dream.cancelled', cancelled));
      await stream.flush();
    }, this.#surroundings);
  }

  /** Whoever began a dream may have had more of the log than has come here yet: a session that it reviewed whole would be read in part. */
  async #untilHere({ started }: DreamState): Promise<void> {
    if (started === null || started.log_id !== this.#log.logId) return;
    for (const [partition, seen] of started.through.entries()) {
      if (seen > 0) await this.#log.waitFor(positionOf(partition, seen, started.through.length));
    }
  }

  /** @throws DreamfoldError store_locked while the process that dreams may be alive */
  #needAbandoned(dreamId: string, { by, time }: DreamState): void {
    const until = time + ABANDONED_MS;
    if ((by === null || !hasEnded(by)) && this.#surroundings.time.now() < until) throw underWay(streamOf('dream', dreamId), { by, until });
  }
}

function notUnderWay(dreamId: string, { status }: DreamState): DreamfoldError {
  const isNew = status === 'new';
  const why = isNew ? `There is no dream ${dreamId}` : `The dream ${dreamId} has ended: it is ${status}`;
  return new DreamfoldError(isNew ? 'not_found' : 'precondition_failed', why, {
    path: 'dreamId',
    value: isNew ? dreamId : status,
    remedy: isNew ? 'List them with `dreamfold dream list`.' : 'Decide on what it proposed with `dreamfold review`.',
  });
}
