import { expect, test } from 'vitest';
import { interleave, sample, summarise } from './rounds.ts';

test('every candidate has its turn in every round, in reverse every other round', async () => {
  const turns: string[] = [];
  const candidate = (name: 'a' | 'b') => ({
    name,
    measure: (round: number) => {
      turns.push(`${name}${round}`);
      return Promise.resolve(name === 'a' ? round : 10 * round);
    },
  });
  expect(await interleave([candidate('a'), candidate('b')], 3)).toEqual({ a: [1, 2, 3], b: [10, 20, 30] });
  expect(turns).toEqual(['a1', 'b1', 'b2', 'a2', 'a3', 'b3']);
});

test('a summary is the least and the median of the rounds', () => {
  expect(summarise([5, 3, 40])).toEqual({ min: 3, median: 5 });
});

test('a sample runs the work at least once, and says how often', async () => {
  let runs = 0;
  const work = (): Promise<void> => {
    runs += 1;
    return Promise.resolve();
  };
  const once = await sample(work, 0);
  expect(once.runs).toBe(1);
  expect(runs).toBe(1);
});
