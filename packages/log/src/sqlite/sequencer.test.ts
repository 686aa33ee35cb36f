import { DreamfoldError } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { Sequencer } from './sequencer.ts';

/** A sequencer whose items take a millisecond each, on a clock of their own; and the groups that it made of them. */
function given({ msPerItem = 1 } = {}): { sequencer: Sequencer<number, number>; groups: number[][] } {
  const groups: number[][] = [];
  let now = 0;
  const perform = (items: readonly number[], isOver: () => boolean): number[] => {
    const group: number[] = [];
    groups.push(group);
    for (const item of items) {
      group.push(item);
      now += msPerItem;
      if (isOver()) break;
    }
    return group.map((item) => item * 10);
  };
  return { sequencer: new Sequencer(perform, () => now), groups };
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const sizes = (groups: number[][]): number[] => groups.map((group) => group.length);

describe('group commit', () => {
  it('does together what comes together, and answers each', async () => {
    const { sequencer, groups } = given({ msPerItem: 0 });
    expect(await Promise.all(numbers(1000).map((i) => sequencer.add(i)))).toEqual(numbers(1000).map((i) => i * 10));
    expect(sizes(groups)).toEqual([1000]);
  });

  it('gives timers their turn within five milliseconds of work, and keeps the order', async () => {
    const { sequencer, groups } = given();
    let turns = 0;
    const seen: number[] = [];
    const turn = (): void => {
      turns += 1;
      if (groups.flat().length < 23) setImmediate(turn);
    };
    setImmediate(turn);
    await Promise.all(numbers(23).map(async (i) => (await sequencer.add(i), seen.push(turns))));
    expect(sizes(groups)).toEqual([5, 5, 5, 5, 3]);
    expect(groups.flat()).toEqual(numbers(23));
    // The first five came before the first turn of the event loop; each of the others in a later one.
    expect(seen.map((at) => at - seen[0]!)).toEqual(numbers(23).map((i) => Math.floor(i / 5)));
  });

  it('gives them their turn between groups that follow from each other', async () => {
    const { sequencer, groups } = given();
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      if (groups.length < 12) setImmediate(turn);
    };
    setImmediate(turn);
    const seen: number[] = [];
    for (const i of numbers(12)) {
      await sequencer.add(i);
      seen.push(turns);
    }
    expect(sizes(groups)).toEqual(numbers(12).map(() => 1));
    // Five in microtasks, and then a turn of the event loop.
    expect(seen.map((at) => at - seen[0]!)).toEqual(numbers(12).map((i) => Math.floor(i / 5)));
  });

  it('is idle when what was asked for before is done, however much comes after', async () => {
    const { sequencer, groups } = given();
    for (const i of numbers(12)) void sequencer.add(i);
    const idle = sequencer.idle().then(() => groups.flat().length);
    let more = 500;
    const again = (): void => void (more-- > 0 && sequencer.add(99).then(again));
    again();
    const done = await idle;
    expect(done).toBeGreaterThanOrEqual(12);
    expect(done).toBeLessThan(512);
    expect(groups.flat().slice(0, 12)).toEqual(numbers(12));
  });

  it('fails an item alone, and all of them when nothing of the group was done', async () => {
    const error = new DreamfoldError('head_conflict', 'No.', { remedy: 'Read.' });
    const one = new Sequencer<number, number>((items) => items.map((item) => (item === 1 ? error : item)));
    expect(await Promise.allSettled([0, 1, 2].map((i) => one.add(i)))).toMatchObject([
      { value: 0 },
      { reason: { code: 'head_conflict' } },
      { value: 2 },
    ]);
    const none = new Sequencer<number, number>(() => {
      throw new RangeError('full');
    });
    expect(await Promise.allSettled([0, 1].map((i) => none.add(i)))).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  });
});
