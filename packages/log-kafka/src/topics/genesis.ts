import { DreamfoldError, LogGenesis, RULE } from '@dreamfold/events';
import { genesisRequest, genesisStream, newLogId, prepareAppend } from '@dreamfold/log/backend';
import type { NodePartition } from '../kafka-log.ts';

/**
 * Begins the log where its topic is empty: partition 0 first, which decides the log's id, then the others.
 * Of several nodes that do so at the same time one counts.
 * @param partitions caught up with the topic
 */
export async function ensureGenesis(
  partitions: readonly NodePartition[],
  { erasure, now }: { erasure: boolean; now: number },
): Promise<LogGenesis> {
  await begin(partitions, 0, { logId: newLogId(), erasure, now });
  const genesis = readGenesis(partitions, 0);
  const rest = partitions.map((_, index) => index).slice(1);
  await Promise.all(rest.map((index) => begin(partitions, index, { logId: genesis.log_id, erasure: genesis.erasure, now })));
  for (const index of rest) {
    const { log_id: logId } = readGenesis(partitions, index);
    if (logId !== genesis.log_id) throw unfit(index, `it belongs to the log ${logId}, partition 0 to ${genesis.log_id}`);
  }
  return genesis;
}

async function begin(
  partitions: readonly NodePartition[],
  index: number,
  { logId, erasure, now }: { logId: string; erasure: boolean; now: number },
): Promise<void> {
  const { replica, writer } = partitions[index]!;
  if (replica.count() > 0) return;
  const request = genesisRequest(logId, { partition: index, partitions: partitions.length, erasure });
  try {
    await writer.append(prepareAppend(request, now));
  } catch (error) {
    // Another node was first.
    if (replica.count() === 0) throw error;
  }
}

function readGenesis(partitions: readonly NodePartition[], index: number): LogGenesis {
  const [event] = partitions[index]!.replica.readAfter(0);
  const genesis = LogGenesis.safeParse(event?.data);
  if (event?.stream !== genesisStream(index) || event.type !== 'log.genesis' || !genesis.success)
    throw unfit(index, 'it does not begin with the log.genesis of its partition');
  if (genesis.data.partitions !== partitions.length) {
    throw unfit(index, `the log was made for ${genesis.data.partitions} partitions, and its topic has ${partitions.length}`);
  }
  if (genesis.data.rule <= RULE) return genesis.data;
  throw new DreamfoldError('store_newer_than_code', `The log is kept by rule ${genesis.data.rule}; this Dreamfold knows rule ${RULE}`, {
    path: 'rule',
    value: genesis.data.rule,
    remedy: 'Use the Dreamfold that wrote it, or a newer one.',
  });
}

function unfit(partition: number, what: string): DreamfoldError {
  return new DreamfoldError('log_diverged', `Partition ${partition} of the topic is not one of this log: ${what}`, {
    path: `partition/${partition}`,
    remedy: 'Partitions of a log are neither added nor exchanged. Restore the topic from a copy, or begin a log under another prefix.',
  });
}
