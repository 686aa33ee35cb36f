import { DreamfoldError, idFrom, isDreamfoldError, streamOf, type ErrorCode, type LogEvent, type NewEvent } from '@dreamfold/events';
import {
  canonicalJson,
  deadlineOf,
  decideSession,
  evolveSession,
  mustRun,
  openWork,
  settle,
  type DecideContext,
  type Decider,
  type SessionState,
  type Work,
} from '@dreamfold/core';
import type { Completion, ProcessorOptions } from './completion.ts';
import { decideContext } from './decide-context.ts';
import type { RubricDefinition } from '../team/definitions.ts';
import { sha256 } from '../digest.ts';
import { performWork } from '../perform/perform-work.ts';
import { frames } from '../perform/prompt-frames.ts';
import { nonceIn } from './take-over.ts';
import { ThreadMemory } from '../perform/thread-memory.ts';
import { Deadline, outOfTime } from '../time/time-limit.ts';
import { Waiters } from './waiters.ts';

interface Pending {
  /** Of the append. */
  id: string;
  completion: Completion;
  /** The first event that the completion was built into. */
  first: NewEvent;
  after: SessionState;
  /** Of the claim that is part of it. */
  nonce: string | null;
  /** What the log has answered, while an append before it has no answer yet. */
  added: { readonly events: readonly LogEvent[] } | null;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** What an append is refused for by itself; the next one may do better. Other errors mean that the log can't go on. */
const OWN_FAULTS: readonly ErrorCode[] = [
  'invalid_argument',
  'invalid_event',
  'json_too_deep',
  'payload_too_large',
  'unknown_event_type',
  'unsupported_schema_version',
];

/** Work that was started. It stays here until the log no longer asks for it, so that it is not started twice. */
interface Running {
  controller: AbortController;
  finished: boolean;
}

/**
 * Runs one session as its owner: folds what comes back, decides, appends, and performs the work that the log asks for.
 *
 *   completion --build--> events --decide--> more events --append--> acknowledged --openWork--> work --> completion
 *
 * Appends are pipelined: each is built on the state after the one before it. Work starts only when the append that asks for it
 * is acknowledged. When another writer was first, all that is pending is built again on the new head.
 */
export class SessionProcessor {
  readonly #o: ProcessorOptions;
  readonly #stream: string;
  /** What deciding on the session needs from outside. */
  readonly context: DecideContext;
  /** The graders in code; a message may bring others. */
  rubric: RubricDefinition | null;
  readonly #decider: Decider<SessionState>;
  readonly #memory: ThreadMemory;
  readonly #frameOf = frames();
  readonly #running = new Map<string, Running>();
  readonly #deadline: Deadline;
  #confirmed: SessionState;
  #tentative: SessionState;
  #pending: Pending[] = [];
  #conflicted: Pending[] = [];
  #resync: Promise<void> | null = null;
  #failure: unknown = null;
  /** Of the claim that makes it the owner; without one it asks and starts nothing. */
  #nonce: string | null = null;
  /** The newest seq that was noticed on the log. */
  #noticed = 0;
  readonly #untilIdle = new Waiters();
  readonly #untilChanged = new Waiters();

  constructor(options: ProcessorOptions, state: SessionState) {
    this.#o = options;
    this.rubric = options.rubric;
    this.#deadline = new Deadline(options.time, () => this.#stopInTime());
    this.#confirmed = state;
    this.#tentative = state;
    this.#stream = streamOf('session', state.id);
    this.#memory = new ThreadMemory(options.memory, this.#frameOf);
    this.context = decideContext({ team: options.team, memory: this.#memory, frameOf: this.#frameOf });
    this.#decider = { evolve: evolveSession, decide: (from) => decideSession(from, this.context) };
  }

  /** The state up to the newest acknowledged event. */
  get state(): SessionState {
    return this.#confirmed;
  }

  /** True while appends are on their way. */
  get writing(): boolean {
    return this.#pending.length > 0 || this.#conflicted.length > 0 || this.#resync !== null;
  }

  /** True when the claim with this nonce is the newest that was acknowledged to this process. */
  owns(nonce: string): boolean {
    return this.#nonce === nonce;
  }

  /** True when it can't go on: the log stopped, someone else took the session over, or it was closed. */
  get failed(): boolean {
    return this.#failure !== null;
  }

  /** True while something is running or on its way to the log. */
  get busy(): boolean {
    return this.writing || this.#isBehind || this.#confirmed.status === 'running';
  }

  get #isBehind(): boolean {
    return this.#noticed > this.#confirmed.seq;
  }

  /** Takes note of an event of the session on the log, whoever wrote it. */
  notice(seq: number): void {
    if (seq <= this.#noticed) return;
    this.#noticed = seq;
    this.#catchUp();
  }

  /** What is on its way may be what was noticed; then this is asked again. */
  #catchUp(): void {
    if (this.#failure === null && this.#isBehind && !this.writing) void this.sync();
  }

  /**
   * Records a completion and all that follows from it, as one append.
   * @returns once it counts, or when there was nothing left to record
   * @throws what `build` throws, and the log's errors
   */
  async record(completion: Completion): Promise<void> {
    while (this.#resync !== null) await this.#resync;
    if (this.#failure !== null) throw this.#failure;
    return this.#append(completion);
  }

  #append(completion: Completion): Promise<void> {
    const appendId = idFrom('event', sha256(`${this.#stream}/${completion.cause}`));
    const before = this.#tentative;
    const events = completion.build(before, appendId);
    const [first] = events;
    if (first === undefined) return Promise.resolve();
    const time = this.#o.time.now();
    const after = settle(before, events, {
      ...this.#decider,
      at: { stream: this.#stream, after: before.seq, appendId, time },
    });
    if (completion.causedBy !== undefined) for (const event of events) event.causation = completion.causedBy;
    this.#tentative = after;
    return new Promise((resolve, reject) => {
      const pending: Pending = { id: appendId, completion, first, after, nonce: nonceIn(events), added: null, resolve, reject };
      const follows = this.#pending.at(-1)?.id;
      this.#pending.push(pending);
      this.#o.log
        .append({
          stream: this.#stream,
          id: appendId,
          expected: before.seq,
          ...(follows === undefined ? {} : { follows }),
          events,
          epoch: after.epoch,
          time,
        })
        .then(
          (appended) => (appended.duplicate ? this.#withdraw(pending, resolve) : this.#onAcknowledged(pending, appended)),
          (error: unknown) => this.#onRefused(pending, error),
        )
        .catch((error: unknown) => this.#fail(error));
    });
  }

  /** Answers may come in another order than the appends stand on the log, and are taken in that of the log. */
  #onAcknowledged(pending: Pending, added: { readonly events: readonly LogEvent[] }): void {
    pending.added = added;
    if (this.#pending[0] !== pending) return;
    for (let first = this.#pending[0]; first?.added != null; first = this.#pending[0]) {
      this.#pending.shift();
      this.#confirmed = first.after;
      if (first.nonce !== null) this.#nonce = first.nonce;
      this.#o.onEvents(first.added);
      first.resolve();
    }
    this.#untilChanged.resolve();
    this.#catchUp();
    this.#reconcile();
  }

  #onRefused(pending: Pending, error: unknown): void {
    if (!isDreamfoldError(error)) this.#fail(error);
    else if (error.code === 'head_conflict') this.#withdraw(pending, () => this.#conflicted.push(pending));
    else if (error.code === 'idempotency_conflict') this.#withdraw(pending, () => void this.#answerRepeated(pending, error));
    else if (OWN_FAULTS.includes(error.code)) this.#withdraw(pending, () => pending.reject(error));
    else this.#fail(error);
  }

  /** An append that does not count takes those built on it with it. When all have come back, the log is read and they are built again. */
  #withdraw(pending: Pending, settle: () => void): void {
    const index = this.#pending.indexOf(pending);
    if (index < 0) return;
    this.#pending.splice(index, 1);
    settle();
    if (this.#pending.some(({ added }) => added === null)) return;
    // What stands after it has counted, and the log says on top of what.
    for (const { resolve } of this.#pending.splice(0)) resolve();
    void this.sync();
  }

  /**
   * The cause was recorded before. What followed from it then may differ from what would follow now; what was asked may not, unless
   * it was a later owner who recorded it.
   */
  async #answerRepeated({ id, first, resolve, reject }: Pending, error: DreamfoldError): Promise<void> {
    try {
      for await (const batch of this.#o.log.read(this.#stream)) {
        for (const event of batch) if (event.seq > this.#confirmed.seq) this.#checkOwner(event);
        const counted = batch.find((event) => event.id === id);
        if (counted === undefined) continue;
        if (counted.type === first.type && canonicalJson(counted.data) === canonicalJson(first.data)) return resolve();
      }
      reject(error);
    } catch (failure) {
      reject(failure);
    }
  }

  /** Reads what others have written to this session, and goes on from there. */
  sync(): Promise<void> {
    this.#resync ??= this.#readNew()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#resync = null;
        this.#buildAgain();
        this.#catchUp();
        this.#reconcile();
      });
    return this.#resync;
  }

  async #readNew(): Promise<void> {
    let state = this.#confirmed;
    for await (const batch of this.#o.log.read(this.#stream, { from: state.seq + 1 })) {
      for (const event of batch) {
        this.#checkOwner(event);
        state = evolveSession(state, event);
        this.#o.onEvents({ events: [event] });
      }
    }
    this.#confirmed = state;
    this.#tentative = state;
    this.#untilChanged.resolve();
    // Somebody with a newer Dreamfold has written to it: to guess at what that means would be to do the wrong thing.
    if (state.suspended !== null) mustRun(state);
  }

  /** Who has read a later claim knows its epoch, and must not write under it. */
  #checkOwner(event: LogEvent): void {
    if (event.type !== 'session.claimed' || this.#nonce === null || (event.data as { nonce: string }).nonce === this.#nonce) return;
    throw new DreamfoldError('fenced', `${this.#stream} was taken over at seq ${event.seq}`, {
      path: this.#stream,
      value: event.seq,
      remedy: 'Nothing is lost: the process that took it over goes on with it. Resume it to take it back.',
    });
  }

  #buildAgain(): void {
    if (this.#failure !== null) return;
    for (const { completion, resolve, reject } of this.#conflicted.splice(0)) {
      try {
        this.#append(completion).then(resolve, reject);
      } catch (error) {
        reject(error);
      }
    }
    if (this.#nonce === null) return;
    // What others wrote may ask for something, whether or not there is anything to build again.
    this.#append({ cause: `sync/${this.#tentative.seq}`, build: (from) => [...this.#decider.decide(from)] }).catch((error: unknown) =>
      this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#deadline.set(null);
    for (const { controller } of this.#running.values()) controller.abort(error);
    this.#running.clear();
    const waiting = [...this.#pending, ...this.#conflicted, this.#untilIdle, this.#untilChanged];
    this.#pending = [];
    this.#conflicted = [];
    for (const waiter of waiting) waiter.reject(error);
    this.#o.onRest();
  }

  /** The session has run for as long as it may: whatever is under way stops, and says so on the log. */
  #stopInTime(): void {
    const reason = outOfTime(this.#confirmed);
    for (const { controller, finished } of this.#running.values()) if (!finished) controller.abort(reason);
  }

  /** Starts the work that the log asks for and is not under way, and calls off the rest. */
  #reconcile(): void {
    if (this.#failure !== null || this.#nonce === null) return;
    this.#deadline.set(deadlineOf(this.#confirmed));
    const wanted = openWork(this.#confirmed);
    if (this.#running.size > 0) {
      const keys = new Set(wanted.map((work) => work.key));
      for (const [key, running] of this.#running) {
        if (keys.has(key)) continue;
        this.#running.delete(key);
        if (running.finished) continue;
        running.controller.abort(new Error('no longer wanted'));
      }
    }
    for (const work of wanted) if (!this.#running.has(work.key)) this.#start(work);
    if (this.busy) return;
    this.#o.onRest();
    this.#untilIdle.resolve();
  }

  #start(work: Work): void {
    const controller = new AbortController();
    const running: Running = { controller, finished: false };
    this.#running.set(work.key, running);
    if (this.#deadline.hasPassed) controller.abort(outOfTime(this.#confirmed));
    performWork(this.#confirmed, work, {
      options: this.#o,
      rubric: this.rubric,
      context: this.context,
      frameOf: this.#frameOf,
      memoryOf: (state, thread) => this.#memory.blockOf(state, thread),
      controller,
      record: (completion) => this.record(completion),
    })
      .then((completion) => {
        running.finished = true;
        return completion === null ? undefined : this.record({ ...completion, causedBy: work.seq });
      })
      .catch((error: unknown) => {
        // A log that stopped (full, fenced, corrupt) has told everyone already; a fault of the code must not pass in silence.
        if (this.#failure === null) this.#fail(error);
      });
  }

  /** Resolves when nothing runs and nothing is left to decide: the session is idle. */
  idle(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (!this.busy) return Promise.resolve();
    return this.#untilIdle.wait();
  }

  /** Resolves when more of the session is known than now, whoever wrote it; rejects when it can't go on here. */
  changed(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return this.#untilChanged.wait();
  }

  /** Stops working on the session without a word on the log, as a process that dies would. */
  stop(reason: Error): void {
    this.#fail(reason);
  }
}
