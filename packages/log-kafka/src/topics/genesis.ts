import { DreamfoldError, LogGenesis, RULE } from '@dreamfold/events';
import { genesisRequest, genesisStream, prepareAppend, type PartitionReplica } from '@dreamfold/log/backend';
import type { NodePartition } from '../kafka-log.ts';

/** The path of the error for a topic that is another log's. */
export const OTHER_LOG = 'log_id';

/**
 * Sees that partition 0 begins with the genesis of a log, and begins the others where whoever began the log was stopped before he had.
 * @param partitions caught up with the topic
 * @param options.logId which log it has to be
 * @throws DreamfoldError log_diverged, store_newer_than_code
 */
export async function ensureGenesis(
  partitions: readonly NodePartition[],
  { logId, now }: { logId: string; now: number },
): Promise<LogGenesis> {
  const genesis = readGenesis(partitions, 0);
  if (genesis.log_id !== logId) throw otherLog(genesis.log_id);
  const rest = partitions.map((_, index) => index).slice(1);
  await Promise.all(rest.map((index) => begin(partitions, index, { genesis, now })));
  for (const index of rest) {
    const { log_id: other } = readGenesis(partitions, index);
    if (other !== logId) throw unfit(index, `it belongs to the log ${other}, partition 0 to ${logId}`);
  }
  return genesis;
}

async function begin(
  partitions: readonly NodePartition[],
  index: number,
  { genesis, now }: { genesis: LogGenesis; now: number },
): Promise<void> {
  const { replica, writer } = partitions[index]!;
  if (replica.count() > 0) return;
  const request = genesisRequest(genesis.log_id, { partition: index, partitions: partitions.length, erasure: genesis.erasure });
  try {
    await writer.append(prepareAppend(request, now));
  } catch (error) {
    // Another node was first.
    if (replica.count() === 0) throw error;
  }
}

function readGenesis(partitions: readonly NodePartition[], index: number): LogGenesis {
  const genesis = genesisIn(partitions[index]!.replica, index);
  if (genesis.partitions === partitions.length) return genesis;
  throw unfit(index, `the log was made for ${genesis.partitions} partitions, and its topic has ${partitions.length}`);
}

/**
 * What the first event of a partition says of the log.
 * @throws DreamfoldError log_diverged when it is no genesis, store_newer_than_code
 */
export function genesisIn(replica: Pick<PartitionReplica, 'readAfter'>, index: number): LogGenesis {
  const [event] = replica.readAfter(0);
  const genesis = LogGenesis.safeParse(event?.data);
  if (event?.stream !== genesisStream(index) || event.type !== 'log.genesis' || !genesis.success)
    throw unfit(index, 'it does not begin with the log.genesis of its partition');
  if (genesis.data.rule <= RULE) return genesis.data;
  throw new DreamfoldError('store_newer_than_code', `The log is kept by rule ${genesis.data.rule}; this Dreamfold knows rule ${RULE}`, {
    path: 'rule',
    value: genesis.data.rule,
    remedy: 'Use the Dreamfold that wrote it, or a newer one.',
  });
}

function otherLog(logId: string): DreamfoldError {
  return new DreamfoldError('log_diverged', `its topic holds the log ${logId}`, {
    path: OTHER_LOG,
    value: logId,
    remedy: 'Restore the topics of the log from a copy.',
  });
}

function unfit(partition: number, what: string): DreamfoldError {
  return new DreamfoldError('log_diverged', `Partition ${partition} of the topic is not one of this log: ${what}`, {
    path: `partition/${partition}`,
    remedy: 'Partitions of a log are neither added nor exchanged. Restore the topic from a copy, or begin a log under another prefix.',
  });
}
