import { seeded } from '@dreamfold/core/testing';

/** What a world leaves to chance, all of it from one seed. */
export class Chance {
  readonly next: () => number;

  constructor(seed: number) {
    this.next = seeded(seed);
  }

  happens(probability: number): boolean {
    return this.next() < probability;
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** A whole number from `low` to `high`, both included. */
  count(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.next() * of.length)]!;
  }

  /** Milliseconds until something that happens once in so many on average. */
  wait(meanMs: number): number {
    return -Math.log(1 - this.next()) * meanMs;
  }

  uuid(): string {
    return Array.from({ length: 4 }, () => Math.floor(this.next() * 2 ** 32).toString(16)).join('-');
  }
}
