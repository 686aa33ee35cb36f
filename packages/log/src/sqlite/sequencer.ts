import { DreamfoldError } from '@dreamfold/events';

/** So many groups may follow each other before timers and sockets get their turn. */
const GROUPS_PER_TURN = 32;

interface Waiting<I, O> {
  item: I;
  resolve: (result: O) => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit: what is asked for while the program is busy is done together, in the order in which it was asked for.
 * A group starts in a microtask, so a lone append does not wait for the event loop.
 */
export class Sequencer<I, O> {
  readonly #perform: (items: readonly I[]) => (O | DreamfoldError)[];
  #waiting: Waiting<I, O>[] = [];
  #groups = 0;

  /** @param perform gives a result or an error for each item; when it throws, all of them failed */
  constructor(perform: (items: readonly I[]) => (O | DreamfoldError)[]) {
    this.#perform = perform;
  }

  add(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#waiting.length === 1) this.#schedule();
    });
  }

  /** Resolves when all that was added before has been performed. */
  async idle(): Promise<void> {
    this.#flush();
  }

  #schedule(): void {
    this.#groups += 1;
    if (this.#groups % GROUPS_PER_TURN === 0) setImmediate(() => this.#flush());
    else queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const group = this.#waiting;
    if (group.length === 0) return;
    this.#waiting = [];
    let results: (O | DreamfoldError)[];
    try {
      results = this.#perform(group.map(({ item }) => item));
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    group.forEach(({ resolve, reject }, i) => {
      const result = results[i]!;
      if (result instanceof DreamfoldError) reject(result);
      else resolve(result);
    });
  }
}
