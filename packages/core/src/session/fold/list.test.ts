import fc from 'fast-check';
import { expect, test } from 'vitest';
import { List } from './list.ts';

test('an older list never sees what was pushed later, on whichever branch', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.integer())), (pushes) => {
      const lists: { list: List<number>; model: number[] }[] = [{ list: List.of(), model: [] }];
      for (const [from, item] of pushes) {
        const { list, model } = lists[from % lists.length]!;
        lists.push({ list: list.push(item), model: [...model, item] });
      }
      for (const { list, model } of lists) {
        expect(list.toArray()).toEqual(model);
        expect([...list]).toEqual(model);
        expect(list.length).toBe(model.length);
        expect([list.at(0), list.at(-1), list.at(model.length)]).toEqual([model.at(0), model.at(-1), undefined]);
      }
    }),
  );
});

test('what toArray gave is the caller’s', () => {
  const list = List.of(1, 2);
  list.toArray().push(3);
  expect(list.toArray()).toEqual([1, 2]);
});
