import { hash, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { backoffMs } from '@dreamfold/core/backoff';
import { DreamfoldError } from '@dreamfold/events';
import type { SideStore } from '@dreamfold/log/backend';
import { CHUNK_BYTES, MAX_CHUNKS, foldChunk } from './blob-chunks.ts';
import { SideTopic, type SideTopicParts } from './side-topic.ts';

/** Sent in one request at most. */
const CHUNKS_PER_REQUEST = 8;

/** Puts of a process that are under way at once: the chunks of each are copied for a request, and wait for their rest at every reader. */
const PUTS_AT_ONCE = 8;

/** How often a blob is sent that is not read back whole, and how long it waits the first time. */
const MOST_TRIES = 6;
const AGAIN = { firstMs: 100, maxMs: 3_200 };

/**
 * Bytes too large for an event, by their sha-256, in chunks on a topic of their own and whole in each node's store. The store takes
 * them from the topic alone, also what this node has put: what it holds whole, every reader of the topic holds whole.
 */
export class BlobTopic {
  readonly #store: SideStore;
  readonly #topic: SideTopic;
  readonly #name: string;
  /** By their hash: who puts the same bytes meanwhile waits for the same records. */
  readonly #puts = new Map<string, Promise<void>>();
  /** The last put in each of the rows in which they wait for each other. */
  readonly #rows: Promise<unknown>[] = Array.from({ length: PUTS_AT_ONCE }, () => Promise.resolve());
  #turn = 0;

  constructor(parts: Omit<SideTopicParts, 'apply'>) {
    const { store, topic } = parts;
    this.#store = store;
    this.#name = topic;
    this.#topic = new SideTopic({
      ...parts,
      apply: (records) => {
        for (const record of records) foldChunk(store, record);
      },
    });
  }

  start(): Promise<void> {
    return this.#topic.start();
  }

  /** @throws DreamfoldError log_diverged when the topic is not the one that was read; store_unavailable */
  check(): Promise<void> {
    return this.#topic.check();
  }

  /**
   * Resolves when the blob was read back whole; waits and sends for as long as the brokers are away.
   * @throws DreamfoldError payload_too_large; store_unavailable when this was stopped, or others' records break up each of several puts
   */
  async put(bytes: Uint8Array): Promise<{ sha256: string; size_bytes: number }> {
    const most = MAX_CHUNKS * CHUNK_BYTES;
    if (bytes.byteLength > most) {
      throw new DreamfoldError('payload_too_large', `A blob on Kafka may have up to ${most} bytes`, {
        path: 'bytes',
        value: bytes.byteLength,
        remedy: 'Store it elsewhere, and name the place.',
      });
    }
    const sha256 = hash('sha256', bytes, 'hex');
    if (!this.#store.hasBlob(sha256)) await (this.#puts.get(sha256) ?? this.#begin(sha256, bytes));
    return { sha256, size_bytes: bytes.byteLength };
  }

  #begin(sha256: string, bytes: Uint8Array): Promise<void> {
    const row = this.#turn;
    this.#turn = (row + 1) % PUTS_AT_ONCE;
    const putting = this.#rows[row]!.then(() => this.#putNow(sha256, bytes)).finally(() => this.#puts.delete(sha256));
    this.#rows[row] = putting.catch(() => {});
    this.#puts.set(sha256, putting);
    return putting;
  }

  async #putNow(sha256: string, bytes: Uint8Array): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      if (tries > 0) await pause(backoffMs(tries + 1, AGAIN));
      await this.#send(sha256, bytes);
      await this.#topic.catchUpAtLast();
      if (this.#store.hasBlob(sha256)) return;
    }
    throw new DreamfoldError('store_unavailable', `A blob was sent ${MOST_TRIES} times and never came back whole from ${this.#name}`, {
      path: this.#name,
      value: sha256,
      remedy: 'Look at who else writes to the topic: records that pass for chunks of this blob came between.',
    });
  }

  async #send(sha256: string, bytes: Uint8Array): Promise<void> {
    const put = randomUUID();
    const n = Math.max(1, Math.ceil(bytes.byteLength / CHUNK_BYTES));
    for (let i = 0; i < n; i += CHUNKS_PER_REQUEST) {
      const chunks = Array.from({ length: Math.min(CHUNKS_PER_REQUEST, n - i) }, (_, k) => i + k);
      const records = chunks.map((chunk) => ({
        key: sha256,
        value: bytes.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES),
        headers: { put, chunk: String(chunk), chunks: String(n) },
      }));
      await this.#topic.produce(records);
    }
  }

  async get(sha256: string): Promise<Uint8Array | null> {
    if (!/^[0-9a-f]{64}$/.test(sha256)) return null;
    const here = this.#store.getBlob(sha256);
    if (here !== null) return here;
    // An event can be here before the blob that it names.
    await this.#topic.catchUp();
    return this.#store.getBlob(sha256);
  }

  /** Whether a blob is here: after {@link catchUp}, whether anybody has it. */
  holds(sha256: string): boolean {
    return this.#store.hasBlob(sha256);
  }

  /** @throws DreamfoldError store_unavailable */
  catchUp(): Promise<void> {
    return this.#topic.catchUp();
  }

  count(): number {
    return this.#store.blobs();
  }

  /** @param reason why nothing more is read, for those who wait */
  stop(reason?: DreamfoldError): Promise<void> {
    return this.#topic.stop(reason);
  }
}
