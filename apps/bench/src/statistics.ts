/** The middle of the values, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of no values');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The best of the values where less is better: what the program costs when the machine does nothing else. */
export function least(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the least of no values');
  return Math.min(...values);
}

/** To so many digits after the point: figures are read by people, and noise has no digits. */
export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** The middle of some figures, and the ends. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function spread(values: readonly number[], digits = 2): Spread {
  return { median: rounded(median(values), digits), min: rounded(Math.min(...values), digits), max: rounded(Math.max(...values), digits) };
}
