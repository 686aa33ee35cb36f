import type { Backoff } from '@dreamfold/core/backoff';
import { ProduceError } from '../driver/driver.ts';

/** Pauses before what the brokers have not taken is sent to them again. */
export const PRODUCE_AGAIN: Backoff = { firstMs: 50, maxMs: 1_000 };

/** Refusals in a row, some two seconds of them, after which it is said: while brokers start or change leaders, they refuse for a moment. */
const TO_TELL = 6;

/** Counts how often the brokers have refused what is written to a place, to say so once, and once that they take it again. */
export class Refusals {
  readonly #tell: (error: Error | null) => void;
  #count = 0;

  constructor(tell: (error: Error | null) => void) {
    this.#tell = tell;
  }

  /** @param error what a request met, null when it was taken */
  hear(error: ProduceError | null): void {
    if (error === null) {
      if (this.#count >= TO_TELL) this.#tell(null);
      this.#count = 0;
    } else if (error.written === 'refused') {
      this.#count += 1;
      if (this.#count === TO_TELL) this.#tell(error);
    }
  }
}
