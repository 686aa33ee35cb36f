import type { LabelledRequest } from '../request-file.ts';

const GROUPS = 7;
/** Of the seven groups when they are unequal: from 0.09 to 0.23. */
const SHARES = [0.23, 0.19, 0.16, 0.13, 0.11, 0.09, 0.09];

/** The same requests with few values: the queues in seven groups, about equally large, or unequally. */
export function sevenValues(requests: readonly LabelledRequest[]): { equal: LabelledRequest[]; unequal: LabelledRequest[] } {
  const counts = new Map<string, number>();
  for (const { queue } of requests) counts.set(queue, (counts.get(queue) ?? 0) + 1);
  const grouped = (shares: readonly number[]): LabelledRequest[] => {
    const groups = groupsOf(
      counts,
      shares.map((share) => share * requests.length),
    );
    return requests.map(({ text, queue }) => ({ text, queue: groups.get(queue)! }));
  };
  return { equal: grouped(Array.from({ length: GROUPS }, () => 1 / GROUPS)), unequal: grouped(SHARES) };
}

/** Each queue goes to the group that lacks most of what it is to have, the largest queues first. */
function groupsOf(counts: ReadonlyMap<string, number>, wanted: readonly number[]): Map<string, string> {
  const lacking = [...wanted];
  const groups = new Map<string, string>();
  for (const [queue, count] of [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))) {
    const group = lacking.indexOf(Math.max(...lacking));
    lacking[group]! -= count;
    groups.set(queue, `group_${'abcdefg'[group]}`);
  }
  return groups;
}
