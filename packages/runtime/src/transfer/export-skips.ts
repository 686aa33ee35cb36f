import { idFrom, newEvent, type DreamfoldError, type ErrorCode, type ImportSkipped, type StoredEvent } from '@dreamfold/events';
import { LOG_STREAM, type Log } from '@dreamfold/log';
import { sha256 } from '../digest.ts';

interface Place {
  /** Line of the file, from 1. */
  row: number;
  code: ErrorCode;
  reason: string;
}

/** What an import of an export has left out because it was bad, and why. */
export interface ExportDamage {
  /** Events that were restored without their payload: envelope and hash are there, as of an erased event. */
  missing: ({ stream: string; seq: number } & Place)[];
  /** Streams that end before the event `seq`, and how many lines of each were left out. At seq 1 nothing of the stream is left. */
  ended: ({ stream: string; seq: number; events: number } & Place)[];
  /** Lines that are no event of a known stream: unreadable ones, blobs that were changed, a count or a digest that does not agree. */
  lines: Place[];
}

/** Entries of an event of the log: its payload stays far below the largest. */
const ENTRIES = 500;

/** Collects what is bad in an export while it is checked, and knows it again while it is written. */
export class ExportSkips {
  readonly damage: ExportDamage = { missing: [], ended: [], lines: [] };
  readonly #missingRows = new Set<number>();
  readonly #skippedRows = new Set<number>();
  readonly #through = new Map<string, number>();
  #here = 0;

  /** The payload of an event that is restored without it, unless the event is here already: then it stays as it is. */
  payload({ stream, seq }: StoredEvent, { row, fault, isHere }: { row: number; fault: DreamfoldError; isHere: boolean }): void {
    this.#missingRows.add(row);
    if (isHere) this.#here += 1;
    else this.damage.missing.push({ stream, seq, ...place(row, fault) });
  }

  /** A stream ends after `through`, and `events` lines that were read of it are left out. */
  end(stream: string, { through, events, row, fault }: { through: number; events: number; row: number; fault: DreamfoldError }): void {
    this.#through.set(stream, through);
    this.damage.ended.push({ stream, seq: through + 1, events, ...place(row, fault) });
  }

  /** One more line of the stream that has ended last. */
  after(): void {
    this.damage.ended.at(-1)!.events += 1;
  }

  line(row: number, fault: DreamfoldError): void {
    this.#skippedRows.add(row);
    this.damage.lines.push(place(row, fault));
  }

  get isNothing(): boolean {
    const { missing, ended, lines } = this.damage;
    return missing.length + ended.length + lines.length + this.#here === 0;
  }

  /** Whether a line is left out, whatever it holds. */
  isSkipped(row: number): boolean {
    return this.#skippedRows.has(row);
  }

  /** The event of a line as it is to be restored, null when it is left out. */
  restored(event: StoredEvent, row: number): StoredEvent | null {
    const through = this.#through.get(event.stream);
    if (through !== undefined && event.seq > through) return null;
    return this.#missingRows.has(row) ? { ...event, data: null } : event;
  }

  /** Records on the log itself what it lacks, so that `verify` can say why. */
  async record(log: Log, source: string): Promise<void> {
    const { missing, ended } = this.damage;
    await recordSkipped(log, {
      source,
      missing: missing.map(({ stream, seq, code }) => ({ stream, seq, reason: REASONS[code] ?? 'it was bad' })),
      ended: ended.map(({ stream, seq }) => ({ stream, seq, reason: ENDED })),
    });
  }
}

/** Records on the log itself what an import has left out, or what was missing in its file. The same again is recorded once. */
export async function recordSkipped(log: Log, { source, missing, ended }: ImportSkipped): Promise<void> {
  for (let from = 0; from < Math.max(missing.length, ended.length); from += ENTRIES) {
    const data: ImportSkipped = { source, missing: missing.slice(from, from + ENTRIES), ended: ended.slice(from, from + ENTRIES) };
    const event = newEvent('log.import_skipped', 'system', data);
    await log.append({ stream: LOG_STREAM, id: idFrom('event', sha256(JSON.stringify(data))), expected: 'any', events: [event] });
  }
}

function place(row: number, { code, message }: DreamfoldError): Place {
  return { row, code, reason: message };
}

/** In words that hold nothing of the payload: what was in it may be personal. */
const REASONS: Partial<Record<ErrorCode, string>> = {
  hash_mismatch: 'it was not what its hash says',
  invalid_json: 'it was no JSON',
  payload_too_large: 'it was too large',
  json_too_deep: 'it was nested too deep',
  forbidden_key: 'it named a key twice',
  invalid_event: 'it had not the fields of its type',
};
const ENDED = 'an envelope was changed, or a line was missing';
