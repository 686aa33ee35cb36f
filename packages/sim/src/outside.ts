import type { ToolContext } from '@dreamfold/runtime';

/** What tools do to the world outside, as it can be counted there. */
export class Outside {
  /** Of each call of a keyed tool, the idempotency keys under which it came. */
  readonly #keys = new Map<string, Set<string>>();
  /** Of each call of an unsafe tool, how often it was done. */
  readonly #done = new Map<string, number>();

  /** @returns what was done, as the tool's result */
  keyed(step: number, { idempotencyKey, ...call }: Call): string {
    const keys = this.#keys.get(placeOf(step, call)) ?? new Set();
    this.#keys.set(placeOf(step, call), keys.add(idempotencyKey));
    return `charged ${step}`;
  }

  /** @returns what was done, as the tool's result */
  unsafe(step: number, call: Call): string {
    const place = placeOf(step, call);
    this.#done.set(place, (this.#done.get(place) ?? 0) + 1);
    return `launched ${step}`;
  }

  /** Whether a call was done at all. */
  wasDone(step: number, call: Pick<Call, 'sessionId' | 'threadId'>): boolean {
    return this.#keys.has(placeOf(step, call)) || this.#done.has(placeOf(step, call));
  }

  /** What was done that must not be. */
  problems(): string[] {
    const twice = [...this.#keys].filter(([, keys]) => keys.size > 1).map(([place]) => `the keyed effect of ${place} was done twice`);
    const again = [...this.#done].filter(([, times]) => times > 1).map(([place]) => `the unsafe effect of ${place} was repeated`);
    return [...twice, ...again];
  }
}

type Call = Pick<ToolContext, 'idempotencyKey' | 'sessionId' | 'threadId'>;

function placeOf(step: number, { sessionId, threadId }: Pick<Call, 'sessionId' | 'threadId'>): string {
  return `${sessionId} ${threadId} step ${step}`;
}
