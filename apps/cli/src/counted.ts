/** A number with what it counts: `1 session`, `3 sessions`. @param what a noun whose plural ends with a plain s */
export function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
