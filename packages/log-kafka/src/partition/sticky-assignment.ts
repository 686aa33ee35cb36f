/** A member of a consumer group, with the partitions that it says it has. */
export interface StickyMember {
  id: string;
  owned: readonly number[];
}

/**
 * Shares out partitions: as evenly as can be (the counts differ by one at most), moving as few as that allows, and the same for
 * whoever computes it, in whatever order the members come. Of two members that claim one partition, the first by id has it.
 */
export function assignSticky(members: readonly StickyMember[], partitions: readonly number[]): Map<string, number[]> {
  const assigned = new Map<string, number[]>();
  if (members.length === 0) return assigned;
  const byId = members.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const free = new Set(partitions.toSorted((a, b) => a - b));
  for (const { id, owned } of byId) {
    // Deleting is claiming: whoever comes later finds it taken.
    assigned.set(
      id,
      owned.toSorted((a, b) => a - b).filter((partition) => free.delete(partition)),
    );
  }
  const fewest = Math.floor(partitions.length / members.length);
  let larger = partitions.length % members.length;
  // Who has most may be one of the larger ones, so that the fewest have to move.
  const quotas = new Map<string, number>();
  for (const { id } of byId.toSorted((a, b) => assigned.get(b.id)!.length - assigned.get(a.id)!.length)) {
    quotas.set(id, larger > 0 ? fewest + 1 : fewest);
    larger -= 1;
  }
  for (const [id, own] of assigned) for (const partition of own.splice(quotas.get(id)!)) free.add(partition);
  const unplaced = [...free].sort((a, b) => a - b);
  for (const [id, own] of assigned) own.push(...unplaced.splice(0, quotas.get(id)! - own.length));
  for (const own of assigned.values()) own.sort((a, b) => a - b);
  return assigned;
}
