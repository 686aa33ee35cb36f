import { AssignerProtocol, type Consumer, type PartitionAssigner } from 'kafkajs';
import { JoinedGroup, joinTimeoutMs } from '../joined-group.ts';
import type { MemberRun } from '../kept-member.ts';
import { PROTOCOL, shareOut, type MemberOptions } from '../membership.ts';
import { within } from '../within.ts';
import { openClient, type Client } from './client.ts';

const GRACE_MS = 800;
/** How often a member without news looks for it. */
const LONG_POLL_MS = 250;

/**
 * A consumer of kafkajs from its start to its first failure; it is never restarted. What kafkajs does on its own, with seconds between
 * the tries and without a word, is switched off.
 */
export function openMember(options: MemberOptions): MemberRun {
  return new KafkajsMember(options);
}

class KafkajsMember implements MemberRun {
  readonly #options: MemberOptions;
  readonly #client: Client;
  readonly #consumer: Consumer;
  readonly #group: JoinedGroup;
  #connected = false;
  #ended = false;

  constructor(options: MemberOptions) {
    const { group, topic, sessionTimeoutMs } = options;
    this.#options = options;
    this.#client = openClient(options.config);
    this.#group = new JoinedGroup({ topic, sessionTimeoutMs, maxSilenceMs: joinTimeoutMs(sessionTimeoutMs) });
    this.#consumer = this.#client.kafka.consumer({
      groupId: group,
      partitionAssigners: [assigner(options)],
      sessionTimeout: sessionTimeoutMs,
      // Nobody has to finish anything before it gives up a partition: that is for the log to decide.
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.floor(sessionTimeoutMs / 3),
      minBytes: 1,
      maxWaitTimeInMs: LONG_POLL_MS,
      allowAutoTopicCreation: false,
      // Of a join: a rebalance that begins in the middle of it is one more try.
      retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => await Promise.resolve(false) },
    });
    const { events } = this.#consumer;
    this.#consumer.on(events.CRASH, ({ payload }) => this.#group.lose(payload.error));
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#group.alive();
      const { memberId, memberAssignment } = payload;
      if (!this.#ended) options.onJoin({ partitions: memberAssignment[topic] ?? [], memberId });
    });
    this.#consumer.on(events.FETCH, () => this.#group.alive());
    this.#consumer.on(events.HEARTBEAT, () => this.#group.alive());
  }

  async start(): Promise<void> {
    const { topic } = this.#options;
    const begin = async (): Promise<void> => {
      await this.#consumer.connect();
      this.#connected = true;
      await this.#consumer.subscribe({ topic });
      // The topic holds no records. Were there one, nobody has asked for it.
      await this.#consumer.run({ autoCommit: false, eachBatch: async () => await Promise.resolve() });
    };
    await this.#group.joined(begin());
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  async lost(): Promise<never> {
    return await this.#group.lost();
  }

  async end({ graceful }: { graceful: boolean }): Promise<void> {
    this.#ended = true;
    this.#group.end();
    if (graceful) await within(this.#consumer.disconnect(), GRACE_MS, () => new Error('no time left')).catch(() => {});
    this.#client.destroy();
  }
}

function assigner({ topic, claim }: MemberOptions): PartitionAssigner {
  const version = 0;
  return ({ cluster }) => ({
    name: PROTOCOL,
    version,
    protocol: ({ topics }) => ({
      name: PROTOCOL,
      metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData: claim() }),
    }),
    assign: async ({ members }) => {
      const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
      const claims = members.map(({ memberId, memberMetadata }) => ({ id: memberId, claim: claimIn(memberMetadata) }));
      const assigned = [...shareOut(claims, partitions)].map(([memberId, own]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({ version, assignment: { [topic]: own }, userData: Buffer.alloc(0) }),
      }));
      return await Promise.resolve(assigned);
    },
  });
}

/** Another member's bytes may be anything. */
function claimIn(metadata: Buffer): Buffer {
  try {
    return AssignerProtocol.MemberMetadata.decode(metadata)?.userData ?? Buffer.alloc(0);
  } catch {
    return Buffer.alloc(0);
  }
}
