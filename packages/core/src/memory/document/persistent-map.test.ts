import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PersistentMap } from './persistent-map.ts';

it('behaves as a Map does, and every earlier map stays as it was', () => {
  const entry = fc.tuple(fc.oneof(fc.string({ maxLength: 2 }), fc.constantFrom('__proto__', 'constructor', 'toString')), fc.nat());
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 600 }), (entries) => {
      const real = new Map<string, number>();
      const states = [{ map: PersistentMap.empty<number>(), values: [] as number[] }];
      for (const [key, value] of entries) {
        real.set(key, value);
        states.push({ map: states.at(-1)!.map.set(key, value), values: [...real.values()] });
      }
      for (const { map, values } of states) {
        expect([...map]).toEqual(values);
        expect(map.size).toBe(values.length);
      }
      for (const [key, value] of real) expect(states.at(-1)!.map.get(key)).toBe(value);
      expect(states[0]!.map.get('__proto__')).toBeUndefined();
    }),
    { numRuns: 30 },
  );
});
