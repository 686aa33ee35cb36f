/** A time of the log for people and programs; of a log that was tampered with, the number as it is. */
export function isoTime(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? String(ms) : time.toISOString();
}
