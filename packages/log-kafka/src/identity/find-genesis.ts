import { setTimeout as pause } from 'node:timers/promises';
import { backoffMs } from '@dreamfold/core/backoff';
import { LogGenesis } from '@dreamfold/events';
import { EMPTY_HEAD, LOG_STREAM, foldRecord } from '@dreamfold/log';
import { genesisRequest, newLogId, newWriterName, prepareAppend, stampAppend } from '@dreamfold/log/backend';
import { ProduceError, type FetchedRecord, type KafkaDriver } from '../driver/driver.ts';
import { sha256 } from '../erasure/digest.ts';
import { decodeRecord, encodeRecord } from '../partition/record-codec.ts';
import { PRODUCE_AGAIN, Refusals } from '../topics/refusals.ts';
import { rangesOf } from '../topics/topics.ts';

/**
 * Reads which log a topic holds: the first record of partition 0 that counts says it.
 * @returns null for a topic that nobody has begun a log in
 * @throws DreamfoldError log_diverged when its beginning was deleted, store_unavailable
 */
export async function findGenesis(driver: KafkaDriver, topic: string): Promise<LogGenesis | null> {
  const [first] = await rangesOf(driver, topic);
  const { high } = first!;
  if (high === 0) return null;
  const { promise: found, resolve, reject } = Promise.withResolvers<LogGenesis | null>();
  const tail = await driver.tail({
    topic,
    from: new Map([[0, 0]]),
    onBatch: (_, records) => {
      const genesis = records.map(genesisOf).find((one) => one !== null);
      if (genesis !== undefined) resolve(genesis);
      else if (records.at(-1)!.offset >= high - 1) resolve(null);
    },
    onFailed: reject,
  });
  try {
    return await found;
  } finally {
    await tail.stop();
  }
}

function genesisOf(fetched: FetchedRecord): LogGenesis | null {
  const { record } = decodeRecord(fetched);
  const { judged } = foldRecord([], record, { counted: { head: () => EMPTY_HEAD, appendSize: () => 0 }, hash: sha256 });
  if (!judged.some(({ verdict }) => verdict.counted) || record?.stream !== LOG_STREAM || record.type !== 'log.genesis') return null;
  const genesis = LogGenesis.safeParse(JSON.parse(record.data ?? 'null'));
  return genesis.success ? genesis.data : null;
}

export interface Beginning {
  topic: string;
  partitions: number;
  erasure: boolean;
  now: number;
  /** The brokers have refused the first record for some time; null when they take it. */
  onRefused: (error: Error | null) => void;
}

/**
 * Begins a log in a topic that is empty. Of several nodes that do so at the same time one counts: the topic says which.
 * @returns the genesis that counts
 */
export async function beginLog(driver: KafkaDriver, { topic, partitions, erasure, now, onRefused }: Beginning): Promise<LogGenesis> {
  const logId = newLogId();
  const append = prepareAppend(genesisRequest(logId, { partitions, erasure }), now);
  const records = stampAppend(append, EMPTY_HEAD, newWriterName()).map((event) => encodeRecord(event, { logId }));
  const refusals = new Refusals(onRefused);
  for (let failures = 0; ; failures += 1) {
    try {
      await driver.produce(topic, 0, records);
      refusals.hear(null);
    } catch (error) {
      if (!(error instanceof ProduceError)) throw error;
      refusals.hear(error);
    }
    const genesis = await findGenesis(driver, topic);
    if (genesis !== null) return genesis;
    await pause(backoffMs(failures + 1, PRODUCE_AGAIN));
  }
}
