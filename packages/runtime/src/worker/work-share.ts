import type { Log, Membership, OnAssigned, SharedWork } from '@dreamfold/log';

/** Joins those that share out the partitions of a log. */
export type WorkShare = (onAssigned: OnAssigned, signal: AbortSignal) => Promise<Membership>;

/** A place among those that share out a log, also before it is given: a group may let a newcomer wait for a member that was killed. */
export interface WorkPlace {
  joined: Promise<unknown>;
  /** Gives the place up, or the wait for it. */
  leave: () => Promise<void>;
}

/** Asks for a place among those that share out a log. Waits for nothing: a place may be given up before it is given. */
export function takePlace(share: WorkShare, onAssigned: OnAssigned): WorkPlace {
  const waiting = new AbortController();
  const joined = share(onAssigned, waiting.signal);
  let hasJoined = false;
  joined.then(
    () => (hasJoined = true),
    () => {},
  );
  return {
    joined,
    leave: async () => {
      waiting.abort();
      // The group forgets a member that could not say good-bye; who still waits for it has nothing to say.
      const left = joined.then((membership) => membership.leave()).catch(() => {});
      if (hasJoined) await left;
    },
  };
}

/** Who works on a log that nobody shares has all of it. */
export function shareOf(log: Pick<Log, 'partitions' | 'capabilities'>, work: SharedWork): WorkShare {
  return async (onAssigned, signal) => {
    if (log.partitions !== undefined) return log.partitions.join(work, onAssigned, signal);
    onAssigned([...Array(log.capabilities.partitions).keys()], true);
    return { leave: async () => {} };
  };
}
