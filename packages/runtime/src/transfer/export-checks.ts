import { checkPayload, EVENT_VERSION, isDreamfoldError, isEventType, DreamfoldError, type StoredEvent } from '@dreamfold/events';
import { EMPTY_HEAD, foldRecord, isIntact, parsePayloadText, type Head, type Log, type Refusal } from '@dreamfold/log';
import { sha256 } from '../digest.ts';
import type { ExportSkips } from './export-skips.ts';
import { countOutcome, type ImportReport } from './import-report.ts';

/** An event of the file, as it is to be restored: without its payload where that is bad. */
interface Read {
  event: StoredEvent;
  row: number;
  /** Why its payload is left out. */
  fault: DreamfoldError | null;
}

/** Judges the events of an export one stream after the other, as the log will, without writing. */
export class StreamChecks {
  readonly #log: Log | null;
  readonly #source: string;
  readonly #report: ImportReport;
  readonly #skips: ExportSkips | null;
  readonly #done = new Set<string>();
  #stream = '';
  #head = EMPTY_HEAD;
  #here = EMPTY_HEAD;
  /** The append that is being read. */
  #open: Read[] = [];
  #pending: readonly StoredEvent[] = [];
  #appends = new Map<string, number>();
  #score: number | null = null;
  #hasEnded = false;
  /** Whether any event is good. */
  hasAny = false;

  /** @param options.skips where to note what is left out; null when one bad event is an error */
  constructor({ log, source, report, skips }: { log: Log | null; source: string; report: ImportReport; skips: ExportSkips | null }) {
    this.#log = log;
    this.#source = source;
    this.#report = report;
    this.#skips = skips;
  }

  /**
   * @throws DreamfoldError hash_mismatch, invalid_import, invalid_event and those of parsePayloadText; with skips only for an event that
   * has no place in any stream, and head_conflict
   */
  async add(event: StoredEvent, row: number): Promise<void> {
    const at = `${this.#source}:${row}`;
    if (event.stream !== this.#stream) {
      // The name of its stream may be what was changed: it must cost no other stream its place.
      if (this.#skips !== null && !isIntact({ ...event, data: null }, sha256)) throw broken(at, event, 'broken');
      await this.#begin(event.stream, at);
    }
    if (this.#hasEnded) return this.#skips!.after();
    const fault = event.data === null ? null : payloadFault(event, at);
    if (fault !== null && this.#skips === null) throw fault;
    // The payload has been looked at: the rule goes by its hash, as for one that was erased.
    const envelope = { ...event, data: null };
    this.#open.push({ event: fault === null ? event : envelope, row, fault });
    const counted = { head: () => this.#head, appendSize: (_: string, id: string) => this.#appends.get(id) ?? 0 };
    const { pending, judged } = foldRecord(this.#pending, envelope, { counted, hash: sha256 });
    // A broken event leaves the append before it torn; what is broken is what to tell.
    for (const { verdict } of judged.toReversed()) {
      if (!verdict.counted) return this.#endBefore(broken(at, event, verdict.reason), row);
      this.#count(verdict.head);
    }
    this.#pending = pending;
    if (event.seq === this.#here.seq && event.hash !== this.#here.hash) throw wentAnotherWay(at, event);
  }

  /** The append that was open counts. */
  #count(head: Head): void {
    const { append } = this.#open[0]!.event;
    this.hasAny = true;
    this.#head = head;
    this.#appends.set(append.id, append.n);
    for (const { event, row, fault } of this.#open.splice(0)) {
      if (fault !== null) this.#skips!.payload(event, { row, fault, isHere: event.seq <= this.#here.seq });
      const { type, data } = event;
      if (type === 'agent.tool_use') this.#report.toolCalls += 1;
      if (data === null) continue;
      if (type === 'outcome.imported') this.#score = (JSON.parse(data) as { score: number }).score;
      if (type === 'span.outcome_evaluation_end') this.#score = (JSON.parse(data) as { result: string }).result === 'satisfied' ? 1 : 0;
    }
  }

  /** @throws the fault, where nothing is to be skipped */
  #endBefore(fault: DreamfoldError, row: number): void {
    if (this.#skips === null) throw fault;
    this.#skips.end(this.#stream, { through: this.#head.seq, events: this.#open.length, row, fault });
    this.#hasEnded = true;
    this.#open = [];
    this.#pending = [];
  }

  /** The stream that is being read has no more events. */
  async end(): Promise<void> {
    if (this.#stream === '') return;
    const stream = this.#stream;
    const [first] = this.#open;
    if (first !== undefined) this.#endBefore(broken(this.#source, first.event, 'torn'), first.row);
    if (this.#here.seq > this.#head.seq && this.#head.seq > 0) await this.#checkOlder();
    this.#stream = '';
    if (!stream.startsWith('session/') || this.#head.seq === 0) return;
    this.#report.sessions += 1;
    countOutcome(this.#report, this.#score);
  }

  async #begin(stream: string, at: string): Promise<void> {
    if (this.#done.has(stream)) throw mixed(stream, at);
    if (stream.startsWith('log/')) throw ofTheLog(stream, at);
    await this.end();
    this.#done.add(stream);
    this.#stream = stream;
    this.#head = EMPTY_HEAD;
    this.#here = (await this.#log?.head(stream)) ?? EMPTY_HEAD;
    this.#open = [];
    this.#pending = [];
    this.#appends = new Map();
    this.#score = null;
    this.#hasEnded = false;
  }

  /** This log has more of the stream than the file: the file's end must stand in it. */
  async #checkOlder(): Promise<void> {
    const { seq, hash } = this.#head;
    for await (const batch of this.#log?.archive.readStored(this.#stream, { from: seq, to: seq }) ?? []) {
      for (const event of batch) if (event.hash !== hash) throw wentAnotherWay(this.#source, event);
    }
  }
}

/** Why a payload is not one that an append would have taken, null when it is. */
function payloadFault(event: StoredEvent, at: string): DreamfoldError | null {
  const { stream, seq, data, dataHash } = event;
  if (sha256(data!) !== dataHash) return broken(at, { stream, seq }, 'broken');
  try {
    checkStoredPayload(event, at);
    return null;
  } catch (error) {
    if (isDreamfoldError(error)) return error;
    throw error;
  }
}

/** A chain can be whole and its payloads nonsense: anyone can hash. What this code knows the shape of has that shape. */
function checkStoredPayload({ type, v, data }: StoredEvent, at: string): void {
  const payload = parsePayloadText(data!, at);
  if (!isEventType(type) || v !== EVENT_VERSION[type]) return;
  try {
    checkPayload(type, v, payload);
  } catch (cause) {
    throw new DreamfoldError('invalid_event', `${at}: ${(cause as Error).message}`, {
      path: at,
      value: type,
      remedy: 'Export it again from the log that it came from; this file was not written by an export.',
      cause,
    });
  }
}

function broken(at: string, { stream, seq }: { stream: string; seq: number }, reason: Refusal): DreamfoldError {
  const what: Partial<Record<Refusal, string>> = {
    torn: 'is part of an append that is not complete',
    broken: 'is not what was written: envelope, payload and hash do not agree',
  };
  return new DreamfoldError(
    reason === 'torn' ? 'invalid_import' : 'hash_mismatch',
    `${at}: ${stream}#${seq} ${what[reason] ?? 'does not follow the event before it'}`,
    { path: at, value: `${stream}#${seq}`, remedy: 'Copy or export the file again.' },
  );
}

function mixed(stream: string, at: string): DreamfoldError {
  return new DreamfoldError('invalid_import', `${at}: ${stream} goes on after another stream`, {
    path: at,
    value: stream,
    remedy: 'Keep the lines in the order that `dreamfold export` wrote.',
  });
}

function ofTheLog(stream: string, at: string): DreamfoldError {
  return new DreamfoldError('invalid_import', `${at}: ${stream} describes the log that it stands in, and has no place in another`, {
    path: at,
    value: stream,
    remedy: 'Export it again from the log that it came from; this file was not written by an export.',
  });
}

function wentAnotherWay(at: string, event: StoredEvent): DreamfoldError {
  return new DreamfoldError('head_conflict', `${at}: this log has another event at ${event.stream}#${event.seq}`, {
    path: at,
    value: `${event.stream}#${event.seq}`,
    remedy: 'Import into an empty data directory: the two copies of this stream went different ways.',
  });
}
