export interface Backoff {
  /** The pause after the first failure. */
  firstMs: number;
  /** No pause is longer. */
  maxMs: number;
}

/** Milliseconds to wait after so many failures in a row, counted from 1: each pause is twice the one before, up to the longest. */
export function backoffMs(failures: number, { firstMs, maxMs }: Backoff): number {
  return Math.min(firstMs * 2 ** (failures - 1), maxMs);
}
