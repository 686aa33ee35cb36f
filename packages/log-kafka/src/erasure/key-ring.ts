import { randomBytes } from 'node:crypto';
import type { ErasedEvent, SideStore } from '@dreamfold/log/backend';
import type { DriverRecord, FetchedRecord, KafkaDriver } from '../driver/driver.ts';
import { formatTree, holdsKey, isRoot, mayComeFrom, parseTree, puncture, rootDigest, rootTree, unite, type KeyTree } from './key-tree.ts';
import type { SealingKey } from '../partition/record-codec.ts';
import { SideTopic } from '../topics/side-topic.ts';
import { StoredKeys } from './stored-keys.ts';

/** Streams whose keys this process has made and remembers; of more it makes new ones, which does no harm. */
const MAX_OWN = 10_000;

/** Begins the names under which a side store keeps records that are to be written over. */
const AMISS = '! ';

export interface KeyRingParts {
  driver: KafkaDriver;
  topic: string;
  store: SideStore;
  /** What the log says of a stream's erased events, as far as it was folded here. */
  erasedOf: (stream: string) => readonly ErasedEvent[];
  onRefused: (error: Error | null) => void;
  onFailed: (error: Error) => void;
}

/** The records of an append that are to be sealed, by their place. */
export interface SealedPlace {
  stream: string;
  /** How often this process has sent a record at one of its seqs before, which counts for nobody. */
  attempt: number;
}

/**
 * The keys that payloads are sealed with, on a compacted topic beside the events. Every process that writes to a stream has a tree of keys
 * for it, one leaf for each seq, and another tree for what it sends at the same seq again: no two records have one key, so that of an event
 * and a copy of it that never counted each can be destroyed. A tree is named by the digest of its root: `<stream> <digest>`.
 *
 * The log says what was erased, and this topic never does. A record that has fewer keys than that allows, or others, is not taken by a
 * process that has better ones, which writes them again; one that has more is narrowed again.
 */
export class KeyRing {
  readonly #p: KeyRingParts;
  readonly #topic: SideTopic;
  readonly #keys: StoredKeys;
  /** The digests of this process's trees by their stream, one for each attempt. */
  readonly #own = new Map<string, string[]>();
  /** Ids whose newest record is not what it should be, and its text. */
  readonly #amiss = new Map<string, string>();

  constructor(parts: KeyRingParts) {
    this.#p = parts;
    const { store } = parts;
    this.#keys = new StoredKeys(store);
    this.#topic = new SideTopic({
      ...parts,
      apply: (records) => {
        for (const record of records) this.#apply(record);
      },
    });
    for (const name of store.keyIds(AMISS)) {
      const text = store.getKey(name);
      if (text !== null && text !== '') this.#amiss.set(name.slice(AMISS.length), text);
    }
  }

  start(): Promise<void> {
    return this.#topic.start();
  }

  /** @throws DreamfoldError log_diverged when the topic is not the one that was read; store_unavailable */
  check(): Promise<void> {
    return this.#topic.check();
  }

  /** Makes this process's keys for places that have none, and resolves when the brokers keep them. */
  async prepare(places: Iterable<SealedPlace>): Promise<void> {
    const made = new Map<string, string>();
    for (const { stream, attempt } of places) {
      const own = this.#own.get(stream) ?? [];
      while (own.length <= attempt) {
        const root = randomBytes(32);
        const digest = rootDigest(root);
        made.set(`${stream} ${digest}`, formatTree(rootTree(root)));
        own.push(digest);
      }
      if (this.#own.size >= MAX_OWN) this.#own.clear();
      this.#own.set(stream, own);
    }
    if (made.size === 0) return;
    await this.#topic.produce([...made].map(([id, text]) => recordOf(id, text)));
    this.#p.store.transaction(() => {
      for (const [id, text] of made) if (this.#p.store.getKey(id) === null) this.#p.store.putKey(id, text);
    });
  }

  /** The key to seal an event with, where it was prepared. */
  sealingKey({ stream, attempt }: SealedPlace, seq: number): SealingKey {
    const id = `${stream} ${this.#own.get(stream)![attempt]!}`;
    // Where a key was destroyed, an event has counted that was not read here yet: this record will not, whatever seals it.
    return { id, key: this.keyOf(id, seq) ?? randomBytes(32) };
  }

  /** Makes sure that the keys of records that were read are known, if they are anywhere. */
  async learn(ids: Iterable<string>): Promise<void> {
    for (const id of ids) {
      if (this.#keys.find(id) !== null) continue;
      // A key is stored before the first record that is sealed with it, so all are here after this. Reading on without it would miss
      // the payload for good.
      await this.#topic.catchUpAtLast();
      return;
    }
  }

  /** The key of an event, null when it was destroyed. */
  keyOf(id: string, seq: number): Uint8Array | null {
    return this.#keys.keyOf(id, seq);
  }

  /** Destroys the keys of erased events, for every process. Resolves when no newer record of the topic holds them. */
  async destroy(stream: string, events: readonly ErasedEvent[]): Promise<void> {
    for (;;) {
      await this.#topic.catchUp();
      const records: DriverRecord[] = [];
      for (const id of this.#p.store.keyIds(`${stream} `)) {
        const tree = this.#keys.find(id);
        const gone = tree === null ? [] : leavesOf(id, events).filter((seq) => holdsKey(tree, seq));
        if (gone.length > 0) records.push(recordOf(id, formatTree(puncture(tree!, gone))));
      }
      if (records.length === 0) return;
      await this.#topic.produce(records);
    }
  }

  /** Whether records were read that are not what the log allows. */
  get isAmiss(): boolean {
    return this.#amiss.size > 0;
  }

  /** Writes over records that are not what the log allows, as far as it was folded by now. */
  async mend(): Promise<void> {
    await this.#topic.catchUp();
    this.#p.store.transaction(() => {
      for (const [id, text] of this.#amiss) this.#settle(id, text);
    });
    const records = [...this.#amiss.keys()].map((id) => recordOf(id, formatTree(this.#keys.find(id)!)));
    if (records.length === 0) return;
    await this.#topic.produce(records);
    await this.#topic.catchUp();
  }

  #apply({ key, value }: FetchedRecord): void {
    const id = key === null ? '' : Buffer.from(key).toString('utf8');
    if (!/^[^ !]+ [^ ]+$/.test(id)) return;
    this.#settle(id, value === null ? 'deleted' : Buffer.from(value).toString('utf8'));
  }

  /** Takes what may be taken of a tree that was read, and notes whether it has to be written over. Inside a transaction of the store. */
  #settle(id: string, text: string): void {
    const { store } = this.#p;
    const held = this.#keys.find(id);
    const now = this.#merged(id, held, parseTree(text));
    if (now === null) return;
    const kept = formatTree(now);
    if (held === null || kept !== formatTree(held)) {
      store.putKey(id, kept);
      this.#keys.keep(id, now);
    }
    const isAmiss = kept !== text;
    if (isAmiss ? this.#amiss.get(id) === text : !this.#amiss.has(id)) return;
    if (isAmiss) this.#amiss.set(id, text);
    else this.#amiss.delete(id);
    store.putKey(`${AMISS}${id}`, isAmiss ? text : '');
  }

  #merged(id: string, held: KeyTree | null, found: KeyTree | null): KeyTree | null {
    const [stream, digest] = id.split(' ') as [string, string];
    if (found === null || !mayComeFrom(found, digest)) return held;
    if (held === null || formatTree(held) === formatTree(found)) return found;
    const all = unite(held, found);
    // Of two that have not one root, the one that can be told to be right.
    if (all === null) return isRoot(found) ? found : held;
    const isGone = (one: ErasedEvent, seq: number): boolean => one.isDestroyed || !holdsKey(held, seq) || !holdsKey(found, seq);
    const gone = this.#p.erasedOf(stream).flatMap((one) => leavesOf(id, [one]).filter((seq) => isGone(one, seq)));
    return puncture(all, gone);
  }

  stop(): Promise<void> {
    return this.#topic.stop();
  }
}

/** The leaves of a tree that erased events take with them: their own seqs, and those of copies that never counted. */
function leavesOf(id: string, events: readonly ErasedEvent[]): number[] {
  return events.flatMap(({ seq, copies }) => [seq, ...copies.filter(({ keyId }) => keyId === id).map((copy) => copy.seq)]);
}

function recordOf(id: string, text: string): DriverRecord {
  return { key: id, value: Buffer.from(text), headers: { 'content-type': 'application/json' } };
}
