import { DreamfoldError } from '@dreamfold/events';
import type { KafkaDriver, TopicSpec } from '../driver/driver.ts';
import type { KafkaPlace } from '../kafka-url.ts';
import { checkTopics, ensureTopics, noLogError, rangesOf, type TopicsCheck } from '../topics/topics.ts';
import { beginLog, findGenesis, type Beginning } from './find-genesis.ts';
import { lostLog } from './identity-errors.ts';
import { isLogId, type KnownLogs } from './known-logs.ts';

export interface Identifying extends Pick<TopicsCheck, 'onWrong'>, Pick<Beginning, 'now' | 'onRefused'> {
  driver: KafkaDriver;
  place: KafkaPlace;
  known: KnownLogs;
  /** Holds the folders of the logs. */
  root: string;
  /** Where there is no log, one is begun. */
  begins: boolean;
  /** The operator has said that another log than the known ones may be here. */
  acceptNewLog: boolean;
}

/**
 * Says which log is to be opened, and makes sure that it is there. Topics are created, and a log is begun, only by a machine that has
 * no replica of any log under this prefix: on another one, topics that are not there, or hold none of its logs, were lost.
 * @throws DreamfoldError log_diverged, not_found (nothing to open, and none is to be begun), config_invalid, store_unavailable
 */
export async function identifyLog(options: Identifying): Promise<string> {
  const { known, acceptNewLog } = options;
  return known.ids.length === 0 || acceptNewLog ? await newLog(options) : await knownLog(options);
}

async function newLog({ driver, place, begins, onWrong, now, onRefused }: Identifying): Promise<string> {
  const { events: topic } = place.topics;
  await (begins
    ? ensureTopics(driver, place)
    : checkTopics(driver, { place, onMissing: () => Promise.reject(noLogError(place)), onWrong }));
  const found = await findGenesis(driver, topic);
  if (found === null && !begins) throw noLogError(place);
  const partitions = (await rangesOf(driver, topic)).length;
  const genesis = found ?? (await beginLog(driver, { topic, partitions, erasure: place.erasure, now, onRefused }));
  return checkedId(genesis.log_id);
}

async function knownLog({ driver, place, known, root, begins, onWrong }: Identifying): Promise<string> {
  const { here } = known;
  const expected = { place, logIds: here === null ? known.ids : [here], root };
  const onMissing = async (spec: TopicSpec): Promise<void> => {
    // It holds nothing.
    if (spec.topic !== place.topics.work || !begins) throw lostLog(expected, `there is no topic ${spec.topic}`);
    await driver.createTopic(spec);
  };
  await checkTopics(driver, { place, onMissing, onWrong });
  const ranges = await rangesOf(driver, place.topics.events);
  if (ranges.every(({ high }) => high === 0)) throw lostLog(expected, `the topic ${place.topics.events} is empty`);
  // Whether the topic still holds it is seen when the replica is brought up to it, without reading the beginning once more.
  if (here !== null) return here;
  const genesis = await findGenesis(driver, place.topics.events);
  if (genesis === null || !known.ids.includes(genesis.log_id)) throw lostLog(expected, foundLog(genesis?.log_id));
  return genesis.log_id;
}

/** @throws DreamfoldError log_diverged unless the topic holds the log that was to be opened */
export async function checkIdentity(options: Pick<Identifying, 'driver' | 'place' | 'root'>, logId: string): Promise<void> {
  const { driver, place, root } = options;
  const genesis = await findGenesis(driver, place.topics.events);
  if (genesis?.log_id !== logId) throw lostLog({ place, logIds: [logId], root }, foundLog(genesis?.log_id));
}

function foundLog(logId: string | undefined): string {
  return logId === undefined ? 'its topic holds no log' : `its topic holds the log ${logId}`;
}

function checkedId(logId: string): string {
  if (isLogId(logId)) return logId;
  throw new DreamfoldError('log_diverged', 'The topic begins with a log.genesis that no Dreamfold has written: its log_id is none', {
    path: 'log_id',
    value: logId.slice(0, 100),
    remedy: 'Begin a log under another prefix.',
  });
}
