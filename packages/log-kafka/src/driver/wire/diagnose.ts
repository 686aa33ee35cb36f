// What an operator asks of brokers: https://kafka.apache.org/protocol#protocol_messages
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientConfig } from '../client-config.ts';
import { clientError, protocolError } from '../client-error.ts';
import type { AnswerReader } from './answer-reader.ts';
import { PASSING, throwCode } from './broker-error.ts';
import { coordinatorCall, groupCall, metadataCall, type TopicMetadata } from './calls.ts';
import { Cluster } from './cluster.ts';
import type { Call } from './connection.ts';

/** What brokers say of themselves and of this user. */
export interface Diagnosis {
  brokers: readonly BrokerVersions[];
  /** Operations by topic, as `kafka-acls` names them; null where the brokers do not say. */
  topicRights: ReadonlyMap<string, readonly string[] | null>;
  groupRights: ReadonlyMap<string, readonly string[] | null>;
  /** By how much the clock of the controller is ahead of this machine's, and by how much that may be wrong; null where nobody says. */
  clock: { aheadMs: number; errorMs: number } | null;
}

export interface BrokerVersions {
  address: string;
  /** Requests of ours that it does not know, such as `Fetch 11`. */
  lacks: readonly string[];
  /** The level of its metadata, which grows with each release; null before 3.3. */
  metadataLevel: number | null;
}

const TIMEOUT_MS = 4_000;
const RETRY_MS = 50;
/** Each request that a log sends, and the version that it is sent in. */
const SPOKEN: Readonly<Record<number, readonly [name: string, version: number]>> = {
  0: ['Produce', 7],
  1: ['Fetch', 11],
  2: ['ListOffsets', 5],
  3: ['Metadata', 8],
  10: ['FindCoordinator', 2],
  15: ['DescribeGroups', 3],
  19: ['CreateTopics', 4],
  32: ['DescribeConfigs', 2],
};
/** Names of operations by their number, as `kafka-acls` has them: org.apache.kafka.common.acl.AclOperation. */
const OPERATIONS: Readonly<Record<number, string>> = {
  3: 'READ',
  4: 'WRITE',
  5: 'CREATE',
  6: 'DELETE',
  7: 'ALTER',
  8: 'DESCRIBE',
  10: 'DESCRIBE_CONFIGS',
  11: 'ALTER_CONFIGS',
};
const TOPIC_AUTHORIZATION_FAILED = 29;
/** Brokers leave out what they were not asked for. */
const NOT_SAID = -(2 ** 31);
const METADATA_FEATURE = 'metadata.version';
const FINALIZED_FEATURES = 2;

/**
 * Looks at brokers, rights and clocks, and changes nothing.
 * @throws DreamfoldError store_unavailable, permission_denied
 */
export async function diagnose(
  config: ClientConfig,
  { topics, groups }: { topics: readonly string[]; groups: readonly string[] },
): Promise<Diagnosis> {
  const cluster = new Cluster(config);
  try {
    const { brokers, topics: found } = await cluster.askAny(metadataCall(topics, { withRights: true }));
    return {
      brokers: await Promise.all([...brokers.values()].map(async (address) => await versionsOf(cluster, address))),
      topicRights: new Map(found.map((topic) => [topic.name, topicRights(topic)])),
      groupRights: new Map(await Promise.all(groups.map(async (group) => [group, await groupRights(cluster, group)] as const))),
      clock: await clockOf(cluster),
    };
  } catch (error) {
    throw clientError(error, config.brokers, 'looking at brokers and rights');
  } finally {
    cluster.close();
  }
}

async function versionsOf(cluster: Cluster, address: string): Promise<BrokerVersions> {
  const { ranges, metadataLevel } = await cluster.ask(address, versionsCall);
  const lacks = Object.entries(SPOKEN).flatMap(([api, [name, version]]) => {
    const range = ranges.get(Number(api));
    return range !== undefined && range.min <= version && version <= range.max ? [] : [`${name} ${version}`];
  });
  return { address, lacks, metadataLevel };
}

/** ApiVersions 3, of which the answer has no tags in its head (KIP-511). */
const versionsCall: Call<{ ranges: ReadonlyMap<number, { min: number; max: number }>; metadataLevel: number | null }> = {
  api: 18,
  version: 3,
  timeoutMs: TIMEOUT_MS,
  write: (body) => body.noTags().compactString('dreamfold').compactString('1').noTags(),
  read: (answer) => {
    throwCode(answer.int16(), 'versions');
    const ranges = answer.compactList((): [number, { min: number; max: number }] => {
      const [api, min, max] = [answer.int16(), answer.int16(), answer.int16()];
      answer.tags();
      return [api, { min, max }];
    });
    answer.int32();
    return { ranges: new Map(ranges), metadataLevel: metadataLevelIn(answer.tags().get(FINALIZED_FEATURES)) };
  },
};

function metadataLevelIn(features: AnswerReader | undefined): number | null {
  const levels = features?.compactList((): [string, number] => {
    const [name, max] = [features.compactString(), features.int16()];
    features.int16();
    features.tags();
    return [name, max];
  });
  return new Map(levels).get(METADATA_FEATURE) ?? null;
}

/** What may not even be described is no right at all. Of a topic that is not there nobody says anything. */
function topicRights({ code, rights }: TopicMetadata): readonly string[] | null {
  if (code === TOPIC_AUTHORIZATION_FAILED) return [];
  return code === 0 ? operationsIn(rights) : null;
}

/** As for topics. Brokers that have had no group yet make the topic for them first. */
async function groupRights(cluster: Cluster, group: string): Promise<readonly string[] | null> {
  for (const until = performance.now() + TIMEOUT_MS; ;) {
    try {
      const coordinator = await cluster.askAny(coordinatorCall(group));
      return operationsIn((await cluster.ask(coordinator, groupCall(group))).rights);
    } catch (error) {
      const type = protocolError(error);
      if (type === 'GROUP_AUTHORIZATION_FAILED') return [];
      if (!PASSING.has(type) || type === undefined) throw error;
      if (performance.now() > until) return null;
      await delay(RETRY_MS);
    }
  }
}

function operationsIn(bits: number): readonly string[] | null {
  if (bits === NOT_SAID) return null;
  return Object.entries(OPERATIONS).flatMap(([bit, name]) => ((bits >> Number(bit)) & 1 ? [name] : []));
}

/** Taken between the question and the answer, as NTP does (RFC 5905): half of the way there and back is how wrong it may be. */
async function clockOf(cluster: Cluster): Promise<Diagnosis['clock']> {
  try {
    // On a connection that is open already, of which the time is not counted.
    await cluster.askAny(quorumCall);
    const asked = performance.now();
    const before = Date.now();
    const theirs = await cluster.askAny(quorumCall);
    const tookMs = performance.now() - asked;
    return theirs === null ? null : { aheadMs: Math.round(theirs - before - tookMs / 2), errorMs: Math.ceil(tookMs / 2) };
  } catch (error) {
    // No right to describe the cluster, or brokers before 3.3.
    if (protocolError(error) !== undefined) return null;
    throw error;
  }
}

/** DescribeQuorum 1: when the leader of the controllers says that it was up to date itself is its time now (KIP-836). */
const quorumCall: Call<number | null> = {
  api: 55,
  version: 1,
  timeoutMs: TIMEOUT_MS,
  write: (body) =>
    body
      .noTags()
      .compactList(['__cluster_metadata'], (topic) =>
        body
          .compactString(topic)
          .compactList([0], (partition) => body.int32(partition).noTags())
          .noTags(),
      )
      .noTags(),
  read: (answer) => {
    answer.tags();
    throwCode(answer.int16(), 'the quorum');
    const times = answer.compactList(() => {
      answer.compactString();
      const inPartition = answer.compactList(() => {
        answer.int32();
        throwCode(answer.int16(), 'the quorum');
        const leader = answer.int32();
        answer.int32();
        answer.int64();
        const [voters] = [replicasIn(answer), replicasIn(answer)];
        answer.tags();
        return voters.find(({ id }) => id === leader)?.caughtUpMs ?? null;
      });
      answer.tags();
      return inPartition;
    });
    const [time] = times.flat();
    return time === undefined || time === null || time <= 0 ? null : time;
  },
};

function replicasIn(answer: AnswerReader): { id: number; caughtUpMs: number }[] {
  return answer.compactList(() => {
    const id = answer.int32();
    answer.int64();
    answer.int64();
    const caughtUpMs = answer.int64();
    answer.tags();
    return { id, caughtUpMs };
  });
}
