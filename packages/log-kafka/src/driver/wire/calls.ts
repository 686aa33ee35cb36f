// The requests of which a log consists, in versions that brokers from 2.4 to 4.x know: https://kafka.apache.org/protocol#protocol_messages
import { REQUEST_TIMEOUT_MS } from '../client-config.ts';
import type { TopicSpec } from '../driver.ts';
import { throwCode } from './broker-error.ts';
import type { Call } from './connection.ts';

/** What a request for offsets may ask for instead of a time. */
export const EARLIEST = -2;
export const LATEST = -1;

/** Brokers end what they do before the client gives the request up. */
const WORK_MS = REQUEST_TIMEOUT_MS - 1_000;
/** Any broker can answer it: one that hangs is passed over. */
const METADATA_TIMEOUT_MS = 4_000;
const ALL_REPLICAS = -1;
const TOPIC_RESOURCE = 2;
const GROUP_COORDINATOR = 0;

/** Of topics that were asked for together brokers answer in an order of their own. */
export interface ClusterMetadata {
  /** `host:port` by number. */
  brokers: ReadonlyMap<number, string>;
  controller: number;
  topics: readonly TopicMetadata[];
}

export interface TopicMetadata {
  name: string;
  /** 0, or an error's code. */
  code: number;
  /** What this user may do with it, a bit for each operation, when that was asked for (KIP-430). */
  rights: number;
  partitions: readonly PartitionMetadata[];
}

export interface PartitionMetadata {
  partition: number;
  /** The number of a broker, -1 while there is none. */
  leader: number;
  replicas: readonly number[];
}

export function metadataCall(topics: readonly string[], { withRights = false } = {}): Call<ClusterMetadata> {
  return {
    api: 3,
    version: 8,
    timeoutMs: METADATA_TIMEOUT_MS,
    write: (body) =>
      body
        .list(topics, (topic) => body.string(topic))
        .int8(0)
        .int8(0)
        .int8(withRights ? 1 : 0),
    read: (answer) => {
      answer.int32();
      const brokers = answer.list((): [number, string] => {
        const node = answer.int32();
        const host = answer.string();
        const address = addressOf(host, answer.int32());
        answer.optionalString();
        return [node, address];
      });
      answer.optionalString();
      const controller = answer.int32();
      const found = answer.list(() => {
        const [code, name] = [answer.int16(), answer.string()];
        answer.int8();
        const partitions = answer.list(() => {
          answer.int16();
          const [partition, leader] = [answer.int32(), answer.int32()];
          answer.int32();
          const replicas = answer.list(() => answer.int32());
          answer.list(() => answer.int32());
          answer.list(() => answer.int32());
          return { partition, leader, replicas };
        });
        const rights = answer.int32();
        return { name, code, rights, partitions: partitions.sort((a, b) => a.partition - b.partition) };
      });
      return { brokers: new Map(brokers), controller, topics: found };
    },
  };
}

/** @returns the offset of each partition that was asked for */
export function offsetsCall(topic: string, partitions: readonly number[], at: number): Call<Map<number, number>> {
  return {
    api: 2,
    version: 5,
    timeoutMs: REQUEST_TIMEOUT_MS,
    write: (body) =>
      body
        .int32(-1)
        .int8(0)
        .list([topic], () => body.string(topic).list(partitions, (partition) => body.int32(partition).int32(-1).int64(at))),
    read: (answer) => {
      answer.int32();
      const offsets = answer.list(() => {
        answer.string();
        return answer.list((): [number, number] => {
          const partition = answer.int32();
          throwCode(answer.int16(), `${topic}/${partition}`);
          answer.int64();
          const offset = answer.int64();
          answer.int32();
          return [partition, offset];
        });
      });
      return new Map(offsets.flat());
    },
  };
}

/** Appends a record batch with acks=all. @returns once the replicas in sync have it */
export function produceCall(topic: string, partition: number, batch: Buffer): Call<void> {
  return {
    api: 0,
    version: 7,
    timeoutMs: REQUEST_TIMEOUT_MS,
    write: (body) =>
      body.string(null).int16(ALL_REPLICAS).int32(WORK_MS).int32(1).string(topic).int32(1).int32(partition).int32(batch.length),
    tail: batch,
    read: (answer) => {
      answer.int32();
      answer.string();
      answer.int32();
      answer.int32();
      throwCode(answer.int16(), `${topic}/${partition}`);
    },
  };
}

export interface FetchSpec {
  topic: string;
  /** Offset of the first record that is wanted, by partition. A partition whose first batch is too large for what is left comes first the next time. */
  from: readonly (readonly [partition: number, offset: number])[];
  maxWaitMs: number;
  maxBytes: number;
  maxPartitionBytes: number;
}

export interface FetchedPartition {
  partition: number;
  /** 0, or an error's code. */
  code: number;
  /** Record batches one after the other, the last perhaps cut short. */
  batches: Buffer;
}

export function fetchCall({ topic, from, maxWaitMs, maxBytes, maxPartitionBytes }: FetchSpec): Call<FetchedPartition[]> {
  return {
    api: 1,
    version: 11,
    timeoutMs: maxWaitMs + REQUEST_TIMEOUT_MS,
    write: (body) =>
      body
        .int32(-1)
        .int32(maxWaitMs)
        .int32(1)
        .int32(maxBytes)
        // Every record of the log, in its order: a transaction that somebody else leaves open does not hold it up.
        .int8(0)
        .int32(0)
        .int32(-1)
        .list([topic], () =>
          body
            .string(topic)
            .list(from, ([partition, offset]) => body.int32(partition).int32(-1).int64(offset).int64(-1).int32(maxPartitionBytes)),
        )
        .int32(0)
        .string(''),
    read: (answer) => {
      answer.int32();
      throwCode(answer.int16(), topic);
      answer.int32();
      const fetched = answer.list(() => {
        answer.string();
        return answer.list(() => {
          const [partition, code] = [answer.int32(), answer.int16()];
          for (let i = 0; i < 3; i += 1) answer.int64();
          answer.list(() => [answer.int64(), answer.int64()]);
          answer.int32();
          return { partition, code, batches: answer.blob() };
        });
      });
      return fetched.flat();
    },
  };
}

/** @throws BrokerError UNKNOWN_TOPIC_OR_PARTITION, TOPIC_AUTHORIZATION_FAILED */
export function settingsCall(topic: string): Call<Record<string, string>> {
  return {
    api: 32,
    version: 2,
    timeoutMs: REQUEST_TIMEOUT_MS,
    write: (body) => body.list([topic], () => body.int8(TOPIC_RESOURCE).string(topic).int32(-1)).int8(0),
    read: (answer) => {
      answer.int32();
      answer.int32();
      throwCode(answer.int16(), answer.optionalString() ?? topic);
      answer.int8();
      answer.string();
      const settings = answer.list((): [string, string] => {
        const setting: [string, string] = [answer.string(), answer.string()];
        for (let i = 0; i < 3; i += 1) answer.int8();
        answer.list(() => [answer.string(), answer.optionalString(), answer.int8()]);
        return setting;
      });
      return Object.fromEntries(settings);
    },
  };
}

/** @throws BrokerError TOPIC_ALREADY_EXISTS, and what else the brokers have against it */
export function createTopicCall({ topic, partitions, replication, settings }: TopicSpec): Call<void> {
  return {
    api: 19,
    version: 4,
    timeoutMs: REQUEST_TIMEOUT_MS,
    write: (body) =>
      body
        .list([topic], () =>
          body
            .string(topic)
            .int32(partitions)
            .int16(replication)
            .int32(0)
            .list(Object.entries(settings), ([name, value]) => body.string(name).string(value)),
        )
        .int32(WORK_MS)
        .int8(0),
    read: (answer) => {
      answer.int32();
      answer.int32();
      answer.string();
      throwCode(answer.int16(), answer.optionalString() ?? topic);
    },
  };
}

/** @returns `host:port` of the broker that keeps a group */
export function coordinatorCall(group: string): Call<string> {
  return {
    api: 10,
    version: 2,
    timeoutMs: METADATA_TIMEOUT_MS,
    write: (body) => body.string(group).int8(GROUP_COORDINATOR),
    read: (answer) => {
      answer.int32();
      const code = answer.int16();
      throwCode(code, answer.optionalString() ?? group);
      answer.int32();
      return addressOf(answer.string(), answer.int32());
    },
  };
}

/** How many members the broker that keeps a group counts on; none of a group that nobody has joined. And what this user may do with it. */
export function groupCall(group: string): Call<{ members: number; rights: number }> {
  return {
    api: 15,
    version: 3,
    timeoutMs: METADATA_TIMEOUT_MS,
    write: (body) => body.list([group], () => body.string(group)).int8(1),
    read: (answer) => {
      answer.int32();
      const groups = answer.list(() => {
        throwCode(answer.int16(), group);
        for (let i = 0; i < 4; i += 1) answer.string();
        const members = answer.list(() => {
          for (let i = 0; i < 3; i += 1) answer.string();
          return [answer.blob(), answer.blob()];
        }).length;
        return { members, rights: answer.int32() };
      });
      return groups[0] ?? { members: 0, rights: 0 };
    },
  };
}

function addressOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
