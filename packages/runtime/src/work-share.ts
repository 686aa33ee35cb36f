/** Shares out the partitions of a log among the workers that are there. What it says is a hint: the claim on the log decides. */
export interface WorkShare {
  /**
   * @param onAssigned told which partitions are this worker's from now on, whenever that changes
   * @throws DreamfoldError store_unavailable
   */
  join(onAssigned: (partitions: readonly number[]) => void): Promise<{ leave(): Promise<void> }>;
}

/** For a log that has one partition and one worker. */
export const WHOLE_LOG: WorkShare = {
  async join(onAssigned) {
    onAssigned([0]);
    return { leave: async () => {} };
  },
};
