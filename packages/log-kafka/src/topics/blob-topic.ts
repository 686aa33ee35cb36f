import { hash } from 'node:crypto';
import type { SideStore } from '@dreamfold/log/backend';
import type { FetchedRecord, HeaderValue } from '../driver/driver.ts';
import { SideTopic, type SideTopicParts } from './side-topic.ts';

const CHUNK_BYTES = 512 * 1024;

/** Sent in one request at most. */
const CHUNKS_PER_REQUEST = 8;

/** Blobs of which only a part has come. A writer that died leaves such a one; the oldest makes room. */
const MAX_ASSEMBLIES = 64;

interface Assembly {
  /** Of its first chunk. */
  offset: number;
  /** How many there are to be. */
  count: number;
  chunks: Map<number, Uint8Array>;
}

/** Bytes too large for an event, by their sha-256, in chunks on a topic of their own and whole in each node's store. */
export class BlobTopic {
  readonly #store: SideStore;
  readonly #topic: SideTopic;
  readonly #assemblies = new Map<string, Assembly>();

  constructor(parts: Omit<SideTopicParts, 'apply'>) {
    this.#store = parts.store;
    this.#topic = new SideTopic({ ...parts, apply: (records) => this.#apply(records) });
  }

  start(): Promise<void> {
    return this.#topic.start();
  }

  /** @throws DreamfoldError log_diverged when the topic is not the one that was read; store_unavailable */
  check(): Promise<void> {
    return this.#topic.check();
  }

  async put(bytes: Uint8Array): Promise<{ sha256: string; size_bytes: number }> {
    const sha256 = hash('sha256', bytes, 'hex');
    const ref = { sha256, size_bytes: bytes.byteLength };
    if (this.#store.getBlob(sha256) !== null) return ref;
    const n = Math.max(1, Math.ceil(bytes.byteLength / CHUNK_BYTES));
    for (let i = 0; i < n; i += CHUNKS_PER_REQUEST) {
      const chunks = Array.from({ length: Math.min(CHUNKS_PER_REQUEST, n - i) }, (_, k) => i + k);
      const records = chunks.map((chunk) => ({
        key: sha256,
        value: bytes.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES),
        headers: { chunk: String(chunk), chunks: String(n) },
      }));
      await this.#topic.produce(records);
    }
    this.#store.putBlob(bytes);
    return ref;
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
    return this.#store.getBlob(sha256) !== null;
  }

  /** @throws DreamfoldError store_unavailable */
  catchUp(): Promise<void> {
    return this.#topic.catchUp();
  }

  count(): number {
    return this.#store.blobs();
  }

  #apply(records: readonly FetchedRecord[]): number | null {
    for (const record of records) this.#add(record);
    const offsets = [...this.#assemblies.values()].map(({ offset }) => offset);
    return offsets.length === 0 ? null : Math.min(...offsets);
  }

  /** What is no chunk, or does not come to its hash, is passed over. */
  #add({ offset, key, value, headers }: FetchedRecord): void {
    const sha256 = key === null ? '' : Buffer.from(key).toString('latin1');
    const [chunk, chunks] = [numberIn(headers['chunk']), numberIn(headers['chunks'])];
    if (value === null || !/^[0-9a-f]{64}$/.test(sha256) || chunk === null || chunks === null || chunk >= chunks) return;
    if (this.#store.getBlob(sha256) !== null) return;
    let assembly = this.#assemblies.get(sha256);
    if (assembly === undefined || assembly.count !== chunks) {
      assembly = { offset, count: chunks, chunks: new Map() };
      this.#assemblies.set(sha256, assembly);
      if (this.#assemblies.size > MAX_ASSEMBLIES) this.#assemblies.delete(this.#assemblies.keys().next().value!);
    }
    assembly.chunks.set(chunk, value);
    if (assembly.chunks.size < chunks) return;
    this.#assemblies.delete(sha256);
    const { chunks: parts } = assembly;
    const bytes = Buffer.concat(Array.from({ length: chunks }, (_, i) => parts.get(i)!));
    if (hash('sha256', bytes, 'hex') === sha256) this.#store.putBlob(bytes);
  }

  stop(): Promise<void> {
    return this.#topic.stop();
  }
}

/** Up to 16 TiB in chunks; more is no count of ours. */
function numberIn(header: HeaderValue | undefined): number | null {
  const text = header instanceof Uint8Array ? Buffer.from(header).toString('latin1') : '';
  return /^\d{1,6}$/.test(text) ? Number(text) : null;
}
