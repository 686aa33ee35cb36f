/** A time of the log for people and programs, as ISO 8601; of a log that was tampered with, the number as it is. @param ms since 1970 */
export function isoTime(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? String(ms) : time.toISOString();
}
