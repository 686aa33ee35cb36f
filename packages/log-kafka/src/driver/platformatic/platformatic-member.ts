import { isIP } from 'node:net';
import { Consumer, SASLMechanisms, type ConsumerOptions } from '@platformatic/kafka';
import type { ClientConfig } from '../client-config.ts';
import type { MemberRun } from '../kept-member.ts';
import { PROTOCOL, shareOut, type MemberOptions } from '../membership.ts';
import { within } from '../within.ts';

/** A join that takes longer has failed: brokers wait 3 s for more members by default (group.initial.rebalance.delay.ms). */
const START_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 3_000;
const RETRY_MS = 200;
const GRACE_MS = 800;
const WATCH_MS = 1_000;

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
  readonly #lost = Promise.withResolvers<never>();
  #watch: NodeJS.Timeout | undefined;
  #silentTicks = 0;
  #connected = false;
  #ended = false;

  constructor(options: MemberOptions) {
    const { group, topic, config } = options;
    this.#options = options;
    this.#lost.promise.catch(() => {});
    this.#consumer = new Consumer({ ...accessOf(config), groupId: group, retries: 2, retryDelay: RETRY_MS, timeout: this.#patienceMs });
    this.#consumer.topics.track(topic);
    this.#consumer.on('client:broker:connect', () => (this.#connected = true));
    this.#consumer.on('consumer:group:join', ({ memberId, assignments }) => {
      this.#alive();
      const own = assignments?.find((assignment) => assignment.topic === topic)?.partitions ?? [];
      if (!this.#ended) options.onJoin({ partitions: own, memberId });
    });
    this.#consumer.on('consumer:heartbeat:end', () => this.#alive());
    this.#consumer.on('consumer:heartbeat:error', ({ error }) => this.#lost.reject(error));
    // Of a join that was tried because others came or went.
    this.#consumer.on('error', (error: Error) => this.#lost.reject(error));
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
    await within(
      Promise.race([joining, this.#lost.promise]),
      this.#patienceMs,
      () => new Error(`no answer when joining a group of ${topic}`),
    );
    this.#watch = setInterval(() => this.#tick(), WATCH_MS);
    this.#watch.unref();
  }

  /** The group waits so long for a member that was killed. */
  get #patienceMs(): number {
    return START_TIMEOUT_MS + this.#options.sessionTimeoutMs;
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  async lost(): Promise<never> {
    return await this.#lost.promise;
  }

  async end({ graceful }: { graceful: boolean }): Promise<void> {
    this.#ended = true;
    clearInterval(this.#watch);
    const connections = [...this.#consumer.connections].map(([, connection]) => connection);
    const closing = this.#consumer.close(true).catch(() => {});
    if (graceful) await within(closing, GRACE_MS, () => new Error('no time left')).catch(() => {});
    // What waits for an answer would keep the process alive until it is late.
    for (const { socket } of connections) socket?.destroy(new Error('the client is closed'));
  }

  #alive(): void {
    this.#silentTicks = 0;
  }

  /** Ends a consumer that stands still without having failed. Ticks are counted, not time: a process that was suspended has not waited. */
  #tick(): void {
    this.#silentTicks += 1;
    if (this.#silentTicks * WATCH_MS > this.#options.sessionTimeoutMs) this.#lost.reject(new Error('the consumer stood still'));
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
