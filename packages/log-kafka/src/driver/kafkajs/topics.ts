import { setTimeout as delay } from 'node:timers/promises';
import { DreamfoldError } from '@dreamfold/events';
// Node finds only the first few names of this CommonJS module: the others come with its default.
import kafkajs, { type Admin } from 'kafkajs';
import type { OffsetRange, TopicDescription, TopicSpec } from '../driver.ts';
import { openClient, within, type KafkajsConfig } from './client.ts';
import { clientError, protocolError } from './client-error.ts';

const ADMIN_TIMEOUT_MS = 30_000;
const RETRY_MS = 50;
/** Of a topic that was made, or has moved, a moment ago. */
const PASSING = new Set(['LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION', 'NOT_CONTROLLER']);

/**
 * Runs an operation with an admin client of its own: one that is kept fails at everything once a topic that it has ever asked for is
 * deleted, and holds on to brokers that are gone.
 *
 * @throws DreamfoldError store_unavailable, permission_denied
 */
export async function withAdmin<Result>(
  config: KafkajsConfig,
  work: { doing: string; timeoutMs?: number; run: (admin: Admin) => Promise<Result> },
): Promise<Result> {
  const client = openClient(config);
  const admin = client.kafka.admin({ retry: { retries: 0 } });
  const attempt = async (): Promise<Result> => {
    await admin.connect();
    for (;;) {
      try {
        return await work.run(admin);
      } catch (error) {
        if (!PASSING.has(protocolError(error) ?? '')) throw error;
        await delay(RETRY_MS);
      }
    }
  };
  try {
    return await within(attempt(), work.timeoutMs ?? ADMIN_TIMEOUT_MS, () => new Error('no answer in time'));
  } catch (error) {
    throw clientError(error, config.brokers, work.doing);
  } finally {
    client.destroy();
  }
}

export async function brokerCount(config: KafkajsConfig): Promise<number> {
  return await withAdmin(config, { doing: 'counting brokers', run: async (admin) => (await admin.describeCluster()).brokers.length });
}

export async function memberCount(config: KafkajsConfig, group: string): Promise<number> {
  const run = async (admin: Admin): Promise<number> => (await admin.describeGroups([group])).groups[0]?.members.length ?? 0;
  return await withAdmin(config, { doing: `looking at the group ${group}`, run });
}

export async function topicOffsets(config: KafkajsConfig, topic: string): Promise<OffsetRange[] | null> {
  const run = (admin: Admin) => unlessMissing(async () => await admin.fetchTopicOffsets(topic));
  const found = await withAdmin(config, { doing: `reading the offsets of ${topic}`, run });
  if (found === null) return null;
  return found.sort((a, b) => a.partition - b.partition).map(({ low, high }) => ({ low: Number(low), high: Number(high) }));
}

export async function describeTopic(config: KafkajsConfig, topic: string): Promise<TopicDescription | null> {
  return await withAdmin(config, { doing: `describing ${topic}`, run: (admin) => describeWith(admin, topic) });
}

async function describeWith(admin: Admin, topic: string): Promise<TopicDescription | null> {
  const metadata = await unlessMissing(async () => await admin.fetchTopicMetadata({ topics: [topic] }));
  const partitions = metadata?.topics[0]?.partitions;
  if (partitions === undefined) return null;
  const configs = await unlessMissing(
    async () =>
      await admin.describeConfigs({ resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }], includeSynonyms: false }),
  );
  const entries = configs?.resources[0]?.configEntries;
  if (entries === undefined) return null;
  return {
    replication: partitions.sort((a, b) => a.partitionId - b.partitionId).map(({ replicas }) => replicas.length),
    settings: Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue])),
  };
}

/** Creates a topic; another process may do so at the same moment. Resolves when it can be written to. */
export async function createTopic(config: KafkajsConfig, spec: TopicSpec): Promise<void> {
  const { topic, partitions, replication, settings } = spec;
  const wanted = {
    topic,
    numPartitions: partitions,
    replicationFactor: replication,
    configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
  };
  const run = async (admin: Admin): Promise<void> => {
    try {
      await admin.createTopics({ topics: [wanted], waitForLeaders: false, timeout: ADMIN_TIMEOUT_MS });
    } catch (error) {
      throw creationError(error, spec);
    }
    // What was created a moment ago is not known to every broker yet; where there are offsets, there are leaders.
    while ((await unlessMissing(async () => await admin.fetchTopicOffsets(topic))) === null) await delay(RETRY_MS);
  };
  await withAdmin(config, { doing: `creating ${topic}`, run });
}

function creationError(error: unknown, spec: TopicSpec): unknown {
  const [refusal] = error instanceof Error && 'errors' in error ? (error.errors as Error[]) : [];
  const type = protocolError(refusal ?? error);
  if (type !== 'INVALID_REPLICATION_FACTOR' && type !== 'INVALID_CONFIG' && type !== 'POLICY_VIOLATION') return refusal ?? error;
  return new DreamfoldError('config_invalid', `The brokers refuse to create the topic ${spec.topic}: ${type}`, {
    path: 'topic',
    value: spec,
    remedy:
      'Ask for no more replicas than there are brokers and for settings that they allow, or create it by hand (kafka-topics --create).',
    cause: refusal,
  });
}

async function unlessMissing<Result>(ask: () => Promise<Result>): Promise<Result | null> {
  try {
    return await ask();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return protocolError(error) === 'UNKNOWN_TOPIC_OR_PARTITION';
}
