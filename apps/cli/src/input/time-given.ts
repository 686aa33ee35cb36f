import { InvalidArgumentError } from 'commander';

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/** A date and time, UTC without a zone, or a time that is so long ago: `90m`, `24h`, `7d`, `2w`. */
export function timeGiven(text: string): Date {
  const [, count, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const timeMs = unit === undefined ? dateGiven(text) : Date.now() - Number(count) * UNIT_MS[unit]!;
  if (!Number.isNaN(timeMs)) return new Date(timeMs);
  throw new InvalidArgumentError('Give a time such as 2026-11-21T10:30, or how long ago it is, such as 24h or 7d.');
}

/** NaN for what is no date. */
export function dateGiven(text: string): number {
  const iso = text.replace(' ', 'T');
  return DATE.test(text) ? Date.parse(!iso.includes('T') || /(?:Z|[+-]\d\d:\d\d)$/.test(iso) ? iso : `${iso}Z`) : Number.NaN;
}
