import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RecordedTime, recordedTime } from './recorded-time.ts';

const NEW_YEAR = Date.UTC(2025);

// Whoever reads a recording far from where it was made gets the same times.
beforeAll(() => void vi.stubEnv('TZ', 'Asia/Tokyo'));
afterAll(() => void vi.unstubAllEnvs());

describe('when something was recorded', () => {
  it.each<[string, number | string]>([
    ['seconds', 1735689600],
    ['seconds with a fraction', 1735689600.0004],
    ['milliseconds', 1735689600000],
    ['ISO 8601 in UTC', '2025-01-01T00:00:00Z'],
    ['ISO 8601 with an offset', '2025-01-01T02:00:00.000+02:00'],
    ['ISO 8601 without one, which is UTC wherever it is read', '2025-01-01T00:00:00.000000'],
  ])('may be said in %s', (_, said) => {
    expect(RecordedTime.parse(said)).toBe(NEW_YEAR);
  });

  it.each<[string, unknown]>([
    ['before 2000', 946684799],
    ['after 2099', '2100-01-01T00:00:00Z'],
    ['negative', -1],
    ['no number', Number.NaN],
    ['a day', '2025-01-01'],
    ['a day that is in no calendar', '2025-02-30T00:00:00Z'],
    ['true', true],
  ])('is not %s', (_, said) => {
    expect(RecordedTime.safeParse(said).success).toBe(false);
  });

  it('is created_at where a row has both', () => {
    expect(recordedTime({ time: 1, created_at: 2 })).toEqual({ time: 2 });
    expect(recordedTime({ time: 1, created_at: null })).toEqual({ time: 1 });
    expect(recordedTime({})).toEqual({});
  });
});
