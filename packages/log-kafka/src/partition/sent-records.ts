import type { StoredEvent } from '@dreamfold/events';
import type { PartitionRecord } from '@dreamfold/log/backend';
import { headerOf, type DriverRecord, type FetchedRecord } from '../driver/driver.ts';
import { keyIdOf, recordText, textOf } from './record-codec.ts';

/**
 * What this process has sent to a partition and waits for. A record that comes back with the same bytes is the event that it was made
 * from: nothing of it has to be parsed, hashed or opened.
 */
export class SentRecords {
  /** By their envelope, which names writer and place: no two are the same. */
  readonly #sent = new Map<string, { event: StoredEvent; record: DriverRecord }>();

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
    return sent !== undefined && isSame(fetched, sent.record) ? new SentRecord(fetched, sent) : null;
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
  readonly record: StoredEvent;
  readonly #fetched: FetchedRecord;
  readonly #sent: DriverRecord;

  constructor(fetched: FetchedRecord, { event, record }: { event: StoredEvent; record: DriverRecord }) {
    this.offset = fetched.offset;
    this.term = fetched.term;
    this.record = event;
    this.#fetched = fetched;
    this.#sent = record;
  }

  get keyId(): string | null {
    return keyIdOf(this.#sent);
  }

  get bytes(): string {
    return recordText(this.#fetched);
  }
}
