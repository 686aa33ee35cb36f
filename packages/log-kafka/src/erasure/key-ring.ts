import { randomBytes } from 'node:crypto';
import type { SideStore } from '@dreamfold/log/backend';
import type { DriverRecord, FetchedRecord, KafkaDriver } from '../driver/driver.ts';
import { eventKey, formatTree, holdsKey, intersect, parseTree, puncture, rootTree } from './key-tree.ts';
import { SideTopic } from '../topics/side-topic.ts';
import { StoredKeys } from './stored-keys.ts';

export interface KeyRingParts {
  driver: KafkaDriver;
  topic: string;
  store: SideStore;
  /** The process that seals: it has a key of its own for each stream. */
  holder: string;
  /** Payloads that nobody can open any more, wherever the key was destroyed. */
  onDestroyed: (stream: string, isDestroyed: (seq: number) => boolean) => void;
  onRefused: (error: Error | null) => void;
  onFailed: (error: Error) => void;
}

/**
 * The keys that payloads are sealed with, on a compacted topic beside the events. Every process that writes to a stream has
 * a tree of keys for it, one leaf for each seq; erasing an event takes what leads to its leaf out of all of the stream's trees.
 */
export class KeyRing {
  readonly #p: KeyRingParts;
  readonly #topic: SideTopic;
  readonly #keys: StoredKeys;
  /** Ids whose newest record on the topic still leads to keys that an earlier one had destroyed: two erased at the same time. */
  readonly #broader = new Set<string>();

  constructor(parts: KeyRingParts) {
    this.#p = parts;
    this.#keys = new StoredKeys(parts.store);
    this.#topic = new SideTopic({ ...parts, apply: (records) => this.#apply(records) });
  }

  start(): Promise<void> {
    return this.#topic.start();
  }

  /** @throws DreamfoldError log_diverged when the topic is not the one that was read; store_unavailable */
  check(): Promise<void> {
    return this.#topic.check();
  }

  /** The id of this process's key for a stream. */
  idFor(stream: string): string {
    return `${stream} ${this.#p.holder}`;
  }

  /** Makes this process's keys for streams that have none, and resolves when the brokers keep them. */
  async prepare(streams: Iterable<string>): Promise<void> {
    const missing = [...new Set(streams)].map((stream) => this.idFor(stream)).filter((id) => this.#keys.find(id) === null);
    if (missing.length === 0) return;
    const made = missing.map((id) => [id, formatTree(rootTree(randomBytes(32)))] as const);
    await this.#topic.produce(made.map(([id, text]) => recordOf(id, text)));
    this.#p.store.transaction(() => {
      for (const [id, text] of made) if (this.#p.store.getKey(id) === null) this.#p.store.putKey(id, text);
    });
  }

  /** Makes sure that the keys of records that were read are known, if they are anywhere. */
  async learn(ids: Iterable<string>): Promise<void> {
    for (const id of ids) {
      if (this.#keys.find(id) !== null) continue;
      // A key is stored before the first record that is sealed with it, so all are here after this. Reading on without it would take
      // the payload for an erased one.
      await this.#topic.catchUpAtLast();
      return;
    }
  }

  /** The key of an event, null when it was destroyed. */
  keyOf(id: string, seq: number): Uint8Array | null {
    return this.#keys.keyOf(id, seq);
  }

  /** Whether the key of an event is there. */
  holds(id: string, seq: number): boolean {
    const tree = this.#keys.find(id);
    return tree !== null && holdsKey(tree, seq);
  }

  /** Destroys the keys of events, for every process. Resolves when no newer record of the topic holds them. */
  async destroy(stream: string, seqs: readonly number[]): Promise<void> {
    for (;;) {
      await this.#topic.catchUp();
      const records: DriverRecord[] = [];
      for (const id of this.#p.store.keyIds(`${stream} `)) {
        const tree = this.#keys.find(id);
        if (tree === null) continue;
        if (this.#broader.has(id) || seqs.some((seq) => eventKey(tree, seq) !== null))
          records.push(recordOf(id, formatTree(puncture(tree, seqs))));
      }
      if (records.length === 0) return;
      await this.#topic.produce(records);
    }
  }

  #apply(records: readonly FetchedRecord[]): void {
    const { store, onDestroyed } = this.#p;
    for (const { key, value } of records) {
      const id = key === null ? '' : Buffer.from(key).toString('utf8');
      const tree = value === null ? null : parseTree(Buffer.from(value).toString('utf8'));
      const [stream, holder] = id.split(' ');
      if (tree === null || stream === undefined || holder === undefined) continue;
      const before = this.#keys.find(id);
      const now = before === null ? tree : intersect(before, tree);
      const text = formatTree(now);
      if (text === formatTree(tree)) this.#broader.delete(id);
      else this.#broader.add(id);
      store.putKey(id, text);
      this.#keys.keep(id, now);
      if (before !== null) onDestroyed(stream, (seq) => eventKey(before, seq) !== null && eventKey(now, seq) === null);
    }
  }

  stop(): Promise<void> {
    return this.#topic.stop();
  }
}

function recordOf(id: string, text: string): DriverRecord {
  return { key: id, value: Buffer.from(text), headers: { 'content-type': 'application/json' } };
}
