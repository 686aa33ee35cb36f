/** A figure that we want to reach, with the one that was measured. It is printed, never asserted. */
export interface Target {
  name: string;
  unit: string;
  value: number;
  /** The value is to be at most this, or at least this. */
  limit: { atMost: number } | { atLeast: number };
  met: boolean;
}

export function target(name: string, value: number, { unit, ...limit }: { unit: string } & Target['limit']): Target {
  return { name, unit, value, limit, met: 'atMost' in limit ? value <= limit.atMost : value >= limit.atLeast };
}
