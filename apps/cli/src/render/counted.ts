/** A number with what it counts: `1 session`, `3 sessions`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
