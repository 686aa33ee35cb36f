import { isIP } from 'node:net';
import { Consumer, SASLMechanisms, type ConsumerOptions } from '@platformatic/kafka';
import type { ClientConfig } from '../client-config.ts';
import { JoinedGroup, joinTimeoutMs } from '../joined-group.ts';
import type { MemberRun } from '../kept-member.ts';
import { PROTOCOL, shareOut, type MemberOptions } from '../membership.ts';
import { within } from '../within.ts';

const CONNECT_TIMEOUT_MS = 3_000;
const RETRY_MS = 200;
const GRACE_MS = 800;

const MECHANISMS = {
  plain: SASLMechanisms.PLAIN,
  'scram-sha-256': SASLMechanisms.SCRAM_SHA_256,
  'scram-sha-512': SASLMechanisms.SCRAM_SHA_512,
} as const;

type Options = ConsumerOptions<Buffer, Buffer, Buffer, Buffer>;

/** A consumer of @platformatic/kafka that reads nothing, from its start to its first failure. It joins again by itself when others come and go. */
export function openMember(options: MemberOptions): MemberRun {
  return new PlatformaticMember(options);
}

class PlatformaticMember implements MemberRun {
  readonly #options: MemberOptions;
  readonly #consumer: Consumer;
  readonly #group: JoinedGroup;
  #connected = false;
  #ended = false;

  constructor(options: MemberOptions) {
    const { group, topic, config, sessionTimeoutMs } = options;
    this.#options = options;
    this.#group = new JoinedGroup({ topic, sessionTimeoutMs, maxSilenceMs: sessionTimeoutMs });
    this.#consumer = new Consumer({
      ...accessOf(config),
      groupId: group,
      retries: 2,
      retryDelay: RETRY_MS,
      timeout: joinTimeoutMs(sessionTimeoutMs),
    });
    this.#consumer.topics.track(topic);
    this.#consumer.on('client:broker:connect', () => (this.#connected = true));
    this.#consumer.on('consumer:group:join', ({ memberId, assignments }) => {
      this.#group.alive();
      const own = assignments?.find((assignment) => assignment.topic === topic)?.partitions ?? [];
      if (!this.#ended) options.onJoin({ partitions: own, memberId });
    });
    this.#consumer.on('consumer:heartbeat:end', () => this.#group.alive());
    this.#consumer.on('consumer:heartbeat:error', ({ error }) => this.#group.lose(error));
    // Of a join that was tried because others came or went.
    this.#consumer.on('error', (error: Error) => this.#group.lose(error));
  }

  async start(): Promise<void> {
    const { topic, sessionTimeoutMs, claim } = this.#options;
    const joining = this.#consumer.joinGroup({
      sessionTimeout: sessionTimeoutMs,
      // Nobody has to finish anything before it gives up a partition: that is for the log to decide.
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.floor(sessionTimeoutMs / 3),
      protocols: [{ name: PROTOCOL, version: 0 }],
      protocolsMetadata: () => claim(),
      partitionAssigner: (...[, members, , metadata]) => {
        const claims = [...members].map(([id, member]) => ({ id, claim: Buffer.from(member.metadata ?? '') }));
        const partitions = Array.from({ length: metadata.topics.get(topic)!.partitionsCount }, (_, partition) => partition);
        return [...shareOut(claims, partitions)].map(([memberId, own]) => ({
          memberId,
          assignments: new Map([[topic, { topic, partitions: own }]]),
        }));
      },
    });
    await this.#group.joined(joining);
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
    const connections = [...this.#consumer.connections].map(([, connection]) => connection);
    const closing = this.#consumer.close(true).catch(() => {});
    if (graceful) await within(closing, GRACE_MS, () => new Error('no time left')).catch(() => {});
    // What waits for an answer would keep the process alive until it is late.
    for (const { socket } of connections) socket?.destroy(new Error('the client is closed'));
  }
}

function accessOf({ brokers, clientId, ssl, sasl }: ClientConfig): Pick<Options, 'clientId' | 'bootstrapBrokers' | 'connectTimeout'> {
  const isNamed = brokers.every((broker) => isIP(broker.slice(0, broker.lastIndexOf(':')).replace(/^\[|\]$/g, '')) === 0);
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...(ssl === undefined || ssl === false ? {} : { tls: ssl === true ? {} : ssl, ...(isNamed ? { tlsServerName: true } : {}) }),
    ...(sasl === undefined ? {} : { sasl: { ...sasl, mechanism: MECHANISMS[sasl.mechanism] } }),
  };
}
