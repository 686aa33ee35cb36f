/** Sessions that were asked for in a part of a run. */
export interface Phase {
  name: string;
  sessions: number;
  done: number;
  /** From asked to claimed, and to done, in milliseconds. */
  takenMs: Quantiles;
  doneMs: Quantiles;
  /** The longest time without a session that was done, of those that ended in this part. */
  longestGapMs: number;
}

/** Of half of the sessions, and of 99 in 100. */
interface Quantiles {
  p50: number;
  p99: number;
}

/** A session that was asked for; it is claimed for the first time, and done. */
export interface Asked {
  taken(): void;
  /** @returns how long it took, in milliseconds */
  done(): number;
}

interface Counts {
  name: string;
  asked: number;
  takenMs: number[];
  doneMs: number[];
  longestGapMs: number;
}

/** How long sessions took in each part of a run. */
export class Phases {
  readonly #counts: Counts[] = [];

  /** What is asked for from now on belongs to another part. */
  begin(name: string): void {
    this.#counts.push({ name, asked: 0, takenMs: [], doneMs: [], longestGapMs: 0 });
  }

  /** @param at by the clock of `performance` */
  ask(at: number): Asked {
    const counts = this.#counts.at(-1);
    if (counts !== undefined) counts.asked += 1;
    let isTaken = false;
    const since = (): number => performance.now() - at;
    return {
      taken: () => {
        if (!isTaken) counts?.takenMs.push(since());
        isTaken = true;
      },
      done: () => {
        const tookMs = since();
        counts?.doneMs.push(tookMs);
        return tookMs;
      },
    };
  }

  gap(ms: number): void {
    const counts = this.#counts.at(-1);
    if (counts !== undefined) counts.longestGapMs = Math.max(counts.longestGapMs, ms);
  }

  /** Of each part so far, and of all of them, which is the first. Parts of one name are one. */
  get report(): Phase[] {
    const parts = [...Map.groupBy(this.#counts, ({ name }) => name)].map(([name, counts]) => phaseOf(name, counts));
    return [phaseOf('the whole run', this.#counts), ...parts];
  }
}

function phaseOf(name: string, counts: readonly Counts[]): Phase {
  const doneMs = counts.flatMap((part) => part.doneMs);
  return {
    name,
    sessions: counts.reduce((sum, { asked }) => sum + asked, 0),
    done: doneMs.length,
    takenMs: quantiles(counts.flatMap(({ takenMs }) => takenMs)),
    doneMs: quantiles(doneMs),
    longestGapMs: Math.round(Math.max(0, ...counts.map(({ longestGapMs }) => longestGapMs))),
  };
}

function quantiles(all: readonly number[]): Quantiles {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (part: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  return { p50: at(0.5), p99: at(0.99) };
}
