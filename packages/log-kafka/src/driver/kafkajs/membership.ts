import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';
import type { Membership, MembershipOptions } from '../driver.ts';
import { assignSticky } from '../../partition/sticky-assignment.ts';
import { clientError } from './client-error.ts';
import type { KafkajsConfig } from './client.ts';
import { KeptConsumer } from './kept-consumer.ts';

const PROTOCOL = 'dreamfold-sticky';
/** How often a member without news looks for it. */
const LONG_POLL_MS = 250;

/**
 * Joins a group that shares out a topic. After a failure it joins again, with back-off, until `leave`.
 *
 * @param signal ends it before it has joined
 * @throws DreamfoldError store_unavailable, permission_denied
 */
export async function joinGroup(config: KafkajsConfig, options: MembershipOptions, signal: AbortSignal): Promise<Membership> {
  const { group, topic, sessionTimeoutMs, onAssigned, onConnection } = options;
  // Said at each join, also after a failure. Who was away too long may claim what another has by now: one of the two gets it.
  let owned: readonly number[] = [];
  // The group gives a member another name when it had given it up.
  let knownAs: string | null = null;
  let left = false;
  const consumer = await KeptConsumer.start({
    timeoutMs: config.connectTimeoutMs,
    signal,
    run: () => ({
      config,
      topic,
      throwaway: false,
      othersMayTakeMs: sessionTimeoutMs,
      concurrency: 1,
      consumer: {
        groupId: group,
        partitionAssigners: [stickyAssigner(topic, () => owned)],
        sessionTimeout: sessionTimeoutMs,
        // Nobody has to finish anything before it gives up a partition: that is for the log to decide.
        rebalanceTimeout: sessionTimeoutMs,
        heartbeatInterval: Math.floor(sessionTimeoutMs / 3),
        minBytes: 1,
        maxWaitTimeInMs: LONG_POLL_MS,
      },
      onJoin: (_consumer, { partitions, memberId }) => {
        owned = partitions.toSorted((a, b) => a - b);
        const now = owned;
        const wasMember = memberId === knownAs;
        knownAs = memberId;
        // Not in kafkajs's call: it takes what is thrown here for a failed join, and tries again.
        queueMicrotask(() => {
          if (!left) onAssigned(now, wasMember);
        });
      },
      // The topic holds no records. Were there one, nobody has asked for it.
      eachBatch: async (payload) => {
        payload.resolveOffset(payload.batch.lastOffset());
        await Promise.resolve();
      },
    }),
    onConnection: (error) => {
      if (!left) onConnection?.(error);
    },
  }).catch((error: unknown) => {
    throw clientError(error, config.brokers, `joining the group ${group}`);
  });
  return {
    leave: async () => {
      left = true;
      await consumer.stop();
    },
  };
}

function stickyAssigner(topic: string, owned: () => readonly number[]): PartitionAssigner {
  const version = 0;
  return ({ cluster }) => ({
    name: PROTOCOL,
    version,
    protocol: ({ topics }) => ({
      name: PROTOCOL,
      metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData: Buffer.from(JSON.stringify(owned())) }),
    }),
    assign: async ({ members }) => {
      const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
      const claims = members.map(({ memberId, memberMetadata }) => ({ id: memberId, owned: ownedOf(memberMetadata) }));
      const assigned = [...assignSticky(claims, partitions)].map(([memberId, own]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({ version, assignment: { [topic]: own }, userData: Buffer.alloc(0) }),
      }));
      return await Promise.resolve(assigned);
    },
  });
}

/** Another member's bytes: what is not a list of partitions claims nothing. */
function ownedOf(metadata: Buffer): number[] {
  try {
    const claimed = AssignerProtocol.MemberMetadata.decode(metadata)?.userData;
    const owned: unknown = JSON.parse(claimed?.toString() ?? '');
    return Array.isArray(owned) ? owned.filter((partition): partition is number => Number.isInteger(partition)) : [];
  } catch {
    return [];
  }
}
