import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignSticky, type StickyMember } from './sticky-assignment.ts';

const partitions = fc.integer({ min: 0, max: 40 }).map((count) => Array.from({ length: count }, (_, index) => index));
const members = fc.uniqueArray(
  fc.record({ id: fc.string({ minLength: 1, maxLength: 3 }), owned: fc.array(fc.integer({ min: -2, max: 45 }), { maxLength: 30 }) }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 8 },
);

/** The fewest partitions that have to leave their member: with who stays larger chosen best. */
function fewestMoves(claims: readonly StickyMember[], count: number): number {
  const claimed = new Set<number>();
  const kept = claims
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(
      ({ owned }) =>
        owned.filter((partition) => partition >= 0 && partition < count && !claimed.has(partition) && claimed.add(partition)).length,
    );
  const fewest = Math.floor(count / claims.length);
  const surplus = kept.map((own) => Math.max(0, own - fewest)).filter((own) => own > 0);
  return surplus.reduce((sum, own) => sum + own, 0) - Math.min(surplus.length, count % claims.length);
}

describe('assignSticky', () => {
  test('gives each partition to one member, evenly', () => {
    fc.assert(
      fc.property(members, partitions, (members, partitions) => {
        const assigned = assignSticky(members, partitions);
        expect([...assigned.values()].flat().sort((a, b) => a - b)).toEqual(partitions);
        expect([...assigned.keys()].sort()).toEqual(members.map(({ id }) => id).sort());
        const counts = [...assigned.values()].map((own) => own.length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('moves no more partitions than it must', () => {
    fc.assert(
      fc.property(members, partitions, (members, partitions) => {
        const assigned = assignSticky(members, partitions);
        const claimed = new Map<number, string>();
        for (const { id, owned } of members.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
          for (const partition of owned) if (!claimed.has(partition)) claimed.set(partition, id);
        }
        const moved = partitions.filter((partition) => {
          const id = claimed.get(partition);
          return id !== undefined && !assigned.get(id)!.includes(partition);
        });
        expect(moved).toHaveLength(fewestMoves(members, partitions.length));
      }),
    );
  });

  test('does not depend on the order of members, nor of what they own', () => {
    fc.assert(
      fc.property(members, partitions, (members, partitions) => {
        const turned = members.toReversed().map(({ id, owned }) => ({ id, owned: owned.toReversed() }));
        expect(new Map(assignSticky(turned, partitions.toReversed()))).toEqual(new Map(assignSticky(members, partitions)));
      }),
    );
  });

  test('stays as it is when nothing has changed, and gives only what was left when a member leaves', () => {
    fc.assert(
      fc.property(members, partitions, (members, partitions) => {
        const before = assignSticky(members, partitions);
        const claims = members.map(({ id }) => ({ id, owned: before.get(id)! }));
        expect(assignSticky(claims, partitions)).toEqual(before);
        const after = assignSticky(claims.slice(1), partitions);
        for (const { id } of claims.slice(1)) expect(after.get(id)).toEqual(expect.arrayContaining(before.get(id)!));
      }),
    );
  });

  test('has nothing to say about nobody', () => {
    expect(assignSticky([], [0, 1]).size).toBe(0);
  });
});
