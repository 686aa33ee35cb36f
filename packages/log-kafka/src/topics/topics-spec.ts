import { DreamfoldError } from '@dreamfold/events';
import type { TopicDescription, TopicSpec } from '../driver/driver.ts';
import type { KafkaPlace } from '../kafka-url.ts';

/** The largest record batch that the topics take, in bytes: one produce request to a partition is one batch. */
export const MAX_BATCH_BYTES = 8 * 1024 * 1024;

/** A superseded key, which may open what was erased since, is gone from the brokers after so long. */
const COMPACTION_LAG_MS = 86_400_000;

const DEFAULT_PARTITIONS = 12;
const DEFAULT_REPLICATION = 3;

/** More than was asked for is as good. */
const AT_LEAST: ReadonlySet<string> = new Set(['max.message.bytes', 'min.insync.replicas']);
const AT_MOST: ReadonlySet<string> = new Set(['max.compaction.lag.ms']);

/**
 * The topics of a log, as they have to be.
 * @param brokers how many there are
 * @param found the events' topic where it is there already: what the address leaves open follows it
 */
export function topicSpecs(
  place: Pick<KafkaPlace, 'topics' | 'partitions' | 'replication'>,
  brokers: number,
  found: TopicDescription | null = null,
): TopicSpec[] {
  const { events, keys, blobs, work } = place.topics;
  const partitions = place.partitions ?? found?.replication.length ?? DEFAULT_PARTITIONS;
  const replication = place.replication ?? (found === null ? Math.min(DEFAULT_REPLICATION, brokers) : Math.min(...found.replication));
  const kept = {
    'unclean.leader.election.enable': 'false',
    // An acknowledged record is on two brokers, where that leaves one that may be away.
    'min.insync.replicas': replication >= 3 ? '2' : '1',
    // A writer whose clock is an hour ahead would be refused otherwise.
    'message.timestamp.type': 'LogAppendTime',
    'max.message.bytes': String(MAX_BATCH_BYTES),
    // The broker unpacks what others compressed: not every client can.
    'compression.type': 'uncompressed',
  };
  const forEver = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1', ...kept };
  const newestOfEach = { 'cleanup.policy': 'compact', 'max.compaction.lag.ms': String(COMPACTION_LAG_MS), ...kept };
  return [
    { topic: events, partitions, replication, settings: forEver },
    { topic: keys, partitions: 1, replication, settings: newestOfEach },
    { topic: blobs, partitions: 1, replication, settings: forEver },
    { topic: work, partitions, replication, settings: {} },
  ];
}

/** What is wrong with a topic that is there: config_invalid, with the command that changes it; null when it can be used. */
export function checkTopic(spec: TopicSpec, description: TopicDescription): DreamfoldError | null {
  return checkPartitions(spec, description.replication.length) ?? checkReplication(spec, description) ?? checkSettings(spec, description);
}

function checkPartitions({ topic, partitions, settings }: TopicSpec, actual: number): DreamfoldError | null {
  if (actual === partitions) return null;
  const holdsRecords = Object.keys(settings).length > 0;
  return new DreamfoldError('config_invalid', `The topic ${topic} has ${actual} partitions, not ${partitions}`, {
    path: `${topic}/partitions`,
    value: actual,
    remedy: holdsRecords
      ? 'A log keeps the number of partitions that it was made with: leave partitions out of its address, or write another prefix for another log.'
      : `It has to have as many as the topic of the events. If that one was given more, the log can't be used: it keeps the number that it was made with. Otherwise stop the workers, and run kafka-topics --bootstrap-server HOST:PORT --delete --topic ${topic}: it holds no records, and is made again.`,
  });
}

function checkReplication({ topic, replication }: TopicSpec, description: TopicDescription): DreamfoldError | null {
  const actual = Math.min(...description.replication);
  if (actual >= replication) return null;
  return new DreamfoldError('config_invalid', `The topic ${topic} has ${actual} replicas of a partition, not ${replication}`, {
    path: `${topic}/replication`,
    value: actual,
    remedy: `Add replicas with kafka-reassign-partitions --bootstrap-server HOST:PORT --execute, or write replication=${actual} in the address of the log.`,
  });
}

function checkSettings({ topic, settings }: TopicSpec, description: TopicDescription): DreamfoldError | null {
  const wrong = Object.entries(settings).filter(([name, wanted]) => !isMet(name, description.settings[name], wanted));
  if (wrong.length === 0) return null;
  const is = wrong.map(([name, wanted]) => `${name}=${description.settings[name] ?? 'unknown'} instead of ${wanted}`);
  const change = wrong.map(([name, wanted]) => `${name}=${wanted}`).join(',');
  const comes = wrong.map(([name, wanted]) => lossBy(name, { value: description.settings[name] ?? '', wanted }));
  return new DreamfoldError('config_invalid', `The topic ${topic} has ${is.join(', ')}: ${comes.join('; ')}`, {
    path: `${topic}/${wrong[0]![0]}`,
    value: description.settings[wrong[0]![0]] ?? null,
    remedy: `Run kafka-configs --bootstrap-server HOST:PORT --alter --entity-type topics --entity-name ${topic} --add-config ${change}`,
  });
}

/** What a wrong setting leads to. */
function lossBy(name: string, { value, wanted }: { value: string; wanted: string }): string {
  switch (name) {
    case 'retention.ms':
      return `the brokers delete records that are older than ${Number(value) / 1000} seconds, and look for them every few minutes`;
    case 'retention.bytes':
      return `the brokers delete the oldest records of each partition that holds more than ${value} bytes, and look for it every few minutes`;
    case 'cleanup.policy':
      return wanted === 'compact' ? 'the brokers may delete keys by their age' : 'the brokers keep only the newest record of each stream';
    case 'max.compaction.lag.ms':
      return 'keys that were destroyed can be read for longer';
    case 'unclean.leader.election.enable':
      return 'acknowledged records are lost when a broker that lacks them becomes the leader';
    case 'min.insync.replicas':
      return 'a record is acknowledged that only one broker has';
    case 'message.timestamp.type':
      return 'what a writer with a wrong clock appends is refused';
    case 'max.message.bytes':
      return 'large appends are refused';
    default:
      return 'a log in it could lose records';
  }
}

function isMet(name: string, actual: string | undefined, wanted: string): boolean {
  if (actual === undefined || actual === '') return false;
  if (AT_LEAST.has(name)) return Number(actual) >= Number(wanted);
  return AT_MOST.has(name) ? Number(actual) <= Number(wanted) : actual === wanted;
}
