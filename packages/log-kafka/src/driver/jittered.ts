/**
 * A pause of half its length or more, so that several who wait for the same broker do not come back at once.
 * @param random from 0 to 1
 */
export function jittered(ms: number, random: () => number = Math.random): number {
  return ms * (0.5 + random() / 2);
}
