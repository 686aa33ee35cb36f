import type { Log, Membership, OnAssigned, SharedWork } from '@dreamfold/log';

/** Joins those that share out the partitions of a log. */
export type WorkShare = (onAssigned: OnAssigned) => Promise<Membership>;

/** Who works on a log that nobody shares has all of it. */
export function shareOf(log: Log, work: SharedWork): WorkShare {
  return async (onAssigned) => {
    if (log.join !== undefined) return log.join(work, onAssigned);
    onAssigned([...Array(log.capabilities.partitions).keys()], true);
    return { leave: async () => {} };
  };
}
