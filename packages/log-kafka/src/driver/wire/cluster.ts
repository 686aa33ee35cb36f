import type { ClientConfig } from '../client-config.ts';
import { protocolError } from '../client-error.ts';
import { throwCode } from './broker-error.ts';
import { metadataCall, type ClusterMetadata, type TopicMetadata } from './calls.ts';
import { Connection, type Call } from './connection.ts';

/** Connections to brokers, one to each that is asked. What one of them holds back, as a fetch that waits, holds up what is asked after it. */
export class Cluster {
  readonly #config: ClientConfig;
  readonly #connections = new Map<string, Promise<Connection>>();
  /** Those that did not answer the last time stand last. */
  #addresses: readonly string[];
  readonly #closing = new AbortController();

  constructor(config: ClientConfig) {
    this.#config = config;
    this.#addresses = config.brokers;
  }

  /** @throws Error when the broker can't be reached */
  async connection(address: string): Promise<Connection> {
    if (this.#closing.signal.aborted) throw new Error('the client is closed');
    const known = this.#connections.get(address);
    if (known !== undefined) {
      const connection = await known;
      if (connection.isOpen) return connection;
      connection.retire();
      // Another may have opened the next one meanwhile.
      if (this.#connections.get(address) === known) this.#connections.delete(address);
      return await this.connection(address);
    }
    const opening = Connection.open(address, this.#config, this.#closing.signal);
    this.#connections.set(address, opening);
    opening.catch(() => this.#connections.delete(address));
    return await opening;
  }

  async ask<Answer>(address: string, call: Call<Answer>): Promise<Answer> {
    return await (await this.connection(address)).ask(call);
  }

  /** What the first broker that can be reached knows of topics, and of the cluster. */
  async metadata(topics: readonly string[]): Promise<ClusterMetadata> {
    const metadata = await this.askAny(metadataCall(topics));
    this.#addresses = [...new Set([...this.#addresses, ...metadata.brokers.values()])];
    return metadata;
  }

  /**
   * Asks the first broker that answers.
   * @throws BrokerError of the one that answered; Error of the last one that was tried
   */
  async askAny<Answer>(call: Call<Answer>): Promise<Answer> {
    let failure: unknown = new Error('no broker is known');
    for (const address of this.#addresses) {
      try {
        return await this.ask(address, call);
      } catch (error) {
        // Also that a password is wrong.
        if (protocolError(error) !== undefined) throw error;
        this.#addresses = [...this.#addresses.filter((one) => one !== address), address];
        failure = error;
      }
    }
    throw failure;
  }

  /** Asks the broker that decides for all, as far as it is one: those of KRaft pass on what is for another. */
  async askController<Answer>(call: Call<Answer>): Promise<Answer> {
    const { brokers, controller } = await this.metadata([]);
    const address = brokers.get(controller);
    return await (address === undefined ? this.askAny(call) : this.ask(address, call));
  }

  /** @throws BrokerError UNKNOWN_TOPIC_OR_PARTITION and the like */
  async topic(name: string): Promise<{ metadata: ClusterMetadata; topic: TopicMetadata }> {
    const metadata = await this.metadata([name]);
    const topic = metadata.topics[0]!;
    throwCode(topic.code, name);
    return { metadata, topic };
  }

  close(): void {
    this.#closing.abort();
    const error = new Error('the client is closed');
    for (const opening of this.#connections.values()) opening.then((connection) => connection.close(error)).catch(() => {});
    this.#connections.clear();
  }
}
