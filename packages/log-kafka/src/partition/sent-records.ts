import type { StoredEvent } from '@dreamfold/events';
import type { PartitionRecord } from '@dreamfold/log/backend';
import { headerOf, type DriverRecord, type FetchedRecord } from '../driver/driver.ts';
import { recordText, textOf } from './record-codec.ts';

/**
 * What this process has sent to a partition and waits for. A record that comes back with the same bytes is the event that it was made
 * from: nothing of it has to be parsed, hashed or opened.
 */
export class SentRecords {
  /** By their envelope, which names writer and place: no two are the same. */
  readonly #sent = new Map<string, { event: StoredEvent; record: DriverRecord }>();
  readonly #isErased: (event: StoredEvent) => boolean;

  /** @param isErased whether the key that an event was sealed with is gone: another node may erase it before it is read here */
  constructor(isErased: (event: StoredEvent) => boolean) {
    this.#isErased = isErased;
  }

  add(events: readonly StoredEvent[], records: readonly DriverRecord[]): void {
    records.forEach((record, i) => this.#sent.set(envelopeOf(record), { event: events[i]!, record }));
  }

  forget(records: readonly DriverRecord[]): void {
    for (const record of records) this.#sent.delete(envelopeOf(record));
  }

  clear(): void {
    this.#sent.clear();
  }

  /** The record as it was sent, null when it is another's, or differs in a byte of what is judged. */
  find(fetched: FetchedRecord): PartitionRecord | null {
    if (this.#sent.size === 0) return null;
    const envelope = headerOf(fetched, 'df_envelope');
    const text = envelope instanceof Uint8Array ? textOf(envelope) : null;
    const sent = text === null ? undefined : this.#sent.get(text);
    return sent !== undefined && isSame(fetched, sent.record) ? new SentRecord(fetched, sent.event, this.#isErased) : null;
  }
}

/** Apart from the envelope, which is the same. */
function isSame(fetched: FetchedRecord, sent: DriverRecord): boolean {
  const { key, value } = fetched;
  if (key === null || value === null || textOf(key) !== sent.key || Buffer.compare(value, sent.value) !== 0) return false;
  const seal = headerOf(fetched, 'df_seal');
  return sent.headers['df_seal'] === (seal instanceof Uint8Array ? (textOf(seal) ?? '') : seal);
}

function envelopeOf({ headers }: DriverRecord): string {
  return headers['df_envelope']!;
}

class SentRecord implements PartitionRecord {
  readonly offset: number;
  readonly term: number;
  readonly isIntact = true;
  readonly #fetched: FetchedRecord;
  readonly #event: StoredEvent;
  readonly #isErased: (event: StoredEvent) => boolean;

  constructor(fetched: FetchedRecord, event: StoredEvent, isErased: (event: StoredEvent) => boolean) {
    this.offset = fetched.offset;
    this.term = fetched.term;
    this.#fetched = fetched;
    this.#event = event;
    this.#isErased = isErased;
  }

  get record(): StoredEvent {
    return this.#isErased(this.#event) ? { ...this.#event, data: null } : this.#event;
  }

  get bytes(): string {
    return recordText(this.#fetched);
  }
}
