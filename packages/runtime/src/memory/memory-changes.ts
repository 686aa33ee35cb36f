import { idFrom, isDreamfoldError, streamOf, type NewEvent } from '@dreamfold/events';
import { evolveDraft, evolveMemory, initialMemory, settle, type AppendPlace, type MemoryState } from '@dreamfold/core';
import type { Log } from '@dreamfold/log';
import { decideAgain } from '../session/decide-again.ts';
import { sha256 } from '../digest.ts';
import type { LogInTime, Surroundings } from '../time/surroundings.ts';

/** A part of a change, decided on the state that the parts before it lead to. */
export type Step = (state: MemoryState) => NewEvent[];

/** A store as it stood at an event. */
export interface Folded {
  seq: number;
  state: MemoryState;
}

interface Decided {
  state: MemoryState;
  events: NewEvent[];
}

/** Folds memory stores from the log, and appends to them what is decided on their newest state. */
export class MemoryChanges {
  readonly #log: Log;
  readonly #surroundings: Surroundings;
  /** Each store as it was folded last; the log is only read from there. */
  readonly #folded = new Map<string, Folded>();
  /** The last change of each store that was asked for here: the next one waits for it, instead of losing a race against it. */
  readonly #changes = new Map<string, Promise<unknown>>();

  constructor({ log, ...surroundings }: LogInTime) {
    this.#log = log;
    this.#surroundings = surroundings;
  }

  async fold(id: string): Promise<MemoryState> {
    return (await this.newest(id)).state;
  }

  /** A store, and its last event. */
  async newest(id: string): Promise<Folded> {
    const stream = streamOf('memory', id);
    const known = this.#folded.get(id) ?? { seq: 0, state: initialMemory };
    if ((await this.#log.head(stream)).seq === known.seq) return known;
    let { seq, state } = known;
    for await (const batch of this.#log.read(stream, { from: seq + 1 })) {
      for (const event of batch) {
        if (event.type === 'log.erased' && known.seq > 0) {
          // What was folded before may hold what it erases.
          this.#folded.delete(id);
          return this.newest(id);
        }
        state = evolveMemory(state, event);
      }
      seq += batch.length;
    }
    return this.#keep(id, { seq, state });
  }

  /** A store as it stood at an event, read from the beginning. */
  async foldThrough(id: string, seq: number): Promise<Folded> {
    let state = initialMemory;
    for await (const batch of this.#log.read(streamOf('memory', id), { to: seq }))
      for (const event of batch) state = evolveMemory(state, event);
    return { seq, state };
  }

  /** Appends what the steps lead to, one after the other, as one append. */
  async change(id: string, cause: string, steps: readonly Step[]): Promise<void> {
    await this.#inTurn(id, () => this.#append(id, cause, (from, at) => takeSteps(from, steps, at)));
  }

  /**
   * Appends several changes as one append, each as far as it goes: one that finds its place changed leaves nothing.
   * @returns which of them went
   */
  async changeEach(id: string, cause: string, changes: readonly (readonly Step[])[]): Promise<boolean[]> {
    let went: boolean[] = [];
    const decide = (from: Decided, at: AppendPlace): Decided => {
      went = [];
      return changes.reduce((before, steps) => {
        const after = unlessMoved(() => takeSteps(before, steps, at));
        went.push(after !== null);
        return after ?? before;
      }, from);
    };
    await this.#inTurn(id, () => this.#append(id, cause, decide));
    return went;
  }

  #keep(id: string, folded: Folded): Folded {
    const known = this.#folded.get(id);
    if (known === undefined || known.seq < folded.seq) this.#folded.set(id, folded);
    return folded;
  }

  async #inTurn(id: string, perform: () => Promise<void>): Promise<void> {
    const before = this.#changes.get(id) ?? Promise.resolve();
    const change = before.then(perform);
    const settled = change.catch(() => {});
    this.#changes.set(id, settled);
    try {
      await change;
    } finally {
      if (this.#changes.get(id) === settled) this.#changes.delete(id);
    }
  }

  async #append(id: string, cause: string, decide: (from: Decided, at: AppendPlace) => Decided): Promise<void> {
    const stream = streamOf('memory', id);
    await decideAgain(async () => {
      const before = await this.newest(id);
      const time = this.#surroundings.time.now();
      // The append's id follows from its events, and a store's fold looks at neither ids nor seqs.
      const { state, events } = decide({ state: before.state, events: [] }, { stream, after: before.seq, appendId: '', time });
      if (events.length === 0) return;
      // Two that decide the same on the same head are one; two that decide differently are a conflict of heads, and decide again.
      const key = sha256(JSON.stringify([stream, cause, before.seq, events.map(({ type, actor, data }) => [type, actor, data])]));
      const { head, duplicate } = await this.#log.append({ stream, id: idFrom('event', key), expected: before.seq, events, time });
      // What has counted is what was decided, so it need not be read and folded again.
      if (!duplicate) this.#keep(id, { seq: head.seq, state });
    }, this.#surroundings);
  }
}

function takeSteps({ state, events }: Decided, steps: readonly Step[], at: AppendPlace): Decided {
  const all = [...events];
  let next = state;
  for (const step of steps) {
    const added = step(next);
    next = settle(next, added, { evolve: evolveDraft, decide: () => [], at });
    all.push(...added);
  }
  return { state: next, events: all };
}

function unlessMoved<T>(decide: () => T): T | null {
  try {
    return decide();
  } catch (error) {
    if (!isDreamfoldError(error, 'precondition_failed')) throw error;
    return null;
  }
}
