import { z } from 'zod';

/** Fewer seconds than this are seconds since 1970, and as many or more are milliseconds: they part in the year 5138 and in 1973. */
const FIRST_MILLISECOND = 1e11;
const EARLIEST_MS = Date.UTC(2000);
const END_MS = Date.UTC(2100);
const OFFSET = /(?:Z|[+-]\d\d:?\d\d)$/;

function toMilliseconds(recorded: number | string): number {
  if (typeof recorded === 'number') return Math.round(recorded < FIRST_MILLISECOND ? recorded * 1000 : recorded);
  // A time without an offset would be read as one of this machine's time zone.
  return Date.parse(OFFSET.test(recorded) ? recorded : `${recorded}Z`);
}

/**
 * When something happened: seconds or milliseconds since 1970, or ISO 8601, which is UTC where it names no offset. What lies outside this
 * century is no time of a recorded run but a fault in the file.
 * @returns milliseconds since 1970
 */
export const RecordedTime = z
  .union([z.number(), z.iso.datetime({ offset: true, local: true })], {
    error: 'is neither seconds or milliseconds since 1970 nor an ISO 8601 time',
  })
  .transform(toMilliseconds)
  .refine((ms) => ms >= EARLIEST_MS && ms < END_MS, { error: 'lies before the year 2000 or after 2099' });

/** What a row or a message says of its time: `created_at`, or `time`. */
export function recordedTime({ time, created_at }: { time?: number | null | undefined; created_at?: number | null | undefined }): {
  time?: number;
} {
  const recorded = created_at ?? time;
  return recorded == null ? {} : { time: recorded };
}
