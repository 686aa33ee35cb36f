import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharesOf } from './catch-up.ts';

const log = fc.array(fc.record({ begin: fc.nat(1_000), lag: fc.nat(1_000) }), { maxLength: 20 });

test('each partition that lacks records is in one share, and no share is larger by more than one partition', () => {
  fc.assert(
    fc.property(log, fc.integer({ min: 1, max: 8 }), (partitions, count) => {
      const begins = partitions.map(({ begin }) => begin);
      const ends = partitions.map(({ begin, lag }) => begin + lag);
      const shares = sharesOf({ begins, ends }, count);
      const behind = [...partitions.keys()].filter((partition) => partitions[partition]!.lag > 0);
      expect(shares.flat().sort((a, b) => a - b)).toEqual(behind);
      expect(shares).toHaveLength(Math.min(count, behind.length));
      const sizes = shares.map((share) => share.reduce((sum, partition) => sum + partitions[partition]!.lag, 0));
      const largest = Math.max(0, ...partitions.map(({ lag }) => lag));
      for (const size of sizes) expect(Math.max(...sizes) - size).toBeLessThanOrEqual(largest);
    }),
  );
});
