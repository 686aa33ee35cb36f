import { blobsNamedBy, type StoredEvent } from '@dreamfold/events';
import { sha256 } from './append.ts';
import { erasedBy, seqOfEvent } from './erasure.ts';
import { missingPayloads } from './missing-payloads.ts';
import type { Head, Log, VerifyProblem, VerifyReport } from '../port.ts';
import { EMPTY_HEAD, foldRecord, type HashText, type Refusal, type RuleContext } from './rule.ts';

/** A log with more problems than this is not worth a longer list, and the list must not fill the memory. */
const MAX_PROBLEMS = 1000;

const IN_WORDS: Record<Refusal, string> = {
  broken: 'envelope, payload and hash do not agree',
  torn: 'its append is not complete',
  head_passed: 'it does not follow the event before it',
  ahead: 'events before it are missing',
  fenced: 'its epoch is not the current one',
  id_used: 'its id was used before',
};

/** What {@link StreamVerifier} asks of the log that it checks. */
export interface VerifiedLog {
  /** Where the append with this id begins in a stream, and its size, of those that begin before a seq; null when there is none. */
  findAppend: (stream: string, appendId: string, before: number) => { seq: number; n: number } | null;
  hasBlob: (sha256: string) => boolean;
  /** `stream#seq` of events that were imported without their payload, as the log itself says. */
  skipped: ReadonlySet<string>;
}

/** Reads one stream after the other and checks each by the rule. Holds one append at a time, and the ids of events without a payload. */
export class StreamVerifier {
  events = 0;
  #streams = 0;
  #erased = 0;
  #stream = '';
  #head: Head = EMPTY_HEAD;
  #pending: readonly StoredEvent[] = [];
  readonly #problems: VerifyProblem[] = [];
  /** Events that suffer from another one: they are told after it. */
  readonly #torn: VerifyProblem[] = [];
  readonly #context: RuleContext;
  readonly #log: VerifiedLog;
  /** Events of the stream without a payload, by their id; null once something on the log says why. */
  readonly #hidden = new Map<string, number | null>();
  /** Ids of the erasures in the stream: they name each other in vain. */
  readonly #erasures = new Set<string>();

  constructor(hash: HashText, log: VerifiedLog) {
    this.#log = log;
    this.#context = {
      hash,
      counted: {
        head: () => this.#head,
        appendSize: (stream, appendId) => log.findAppend(stream, appendId, this.#head.seq + 1)?.n ?? 0,
      },
      inPartition: (stream) => stream === this.#stream,
    };
  }

  begin(stream: string): void {
    this.#streams += 1;
    this.#stream = stream;
    this.#head = EMPTY_HEAD;
    this.#pending = [];
    this.#hidden.clear();
    this.#erasures.clear();
  }

  add(stored: StoredEvent): void {
    this.events += 1;
    this.#checkPayload(stored);
    const { pending, judged } = foldRecord(this.#pending, stored, this.#context);
    this.#pending = pending;
    for (const { records, verdict } of judged) {
      if (verdict.counted) this.#head = verdict.head;
      else this.#refused(records as readonly StoredEvent[], verdict.reason);
    }
  }

  /** That a payload is there, or that the log says why it is not. */
  #checkPayload(stored: StoredEvent): void {
    const { id, seq, type } = stored;
    if (stored.data === null) this.#hidden.set(id, seq);
    for (const sha256 of blobsNamedBy(stored)) {
      if (!this.#log.hasBlob(sha256)) this.problem({ stream: this.#stream, seq, problem: `it names a blob that is missing: ${sha256}` });
    }
    for (const erased of erasedBy(stored)) this.#checkErased(erased, seq);
    if (type === 'log.erased') this.#erasures.add(id);
  }

  #checkErased(id: string, by: number): void {
    const hidden = this.#hidden.get(id);
    if (hidden === null || this.#erasures.has(id)) return;
    if (hidden !== undefined) {
      this.#erased += 1;
      this.#hidden.set(id, null);
      return;
    }
    const seq = seqOfEvent(id, (appendId) => this.#log.findAppend(this.#stream, appendId, by));
    if (seq !== null && seq < by)
      this.problem({ stream: this.#stream, seq, problem: `it was erased by #${by}, and its payload is still here` });
  }

  end(): void {
    this.#refused(this.#pending, 'torn');
    this.#pending = [];
    for (const seq of this.#hidden.values()) {
      if (seq === null) continue;
      if (this.#log.skipped.has(`${this.#stream}#${seq}`)) this.#erased += 1;
      else this.problem({ stream: this.#stream, seq, problem: 'its payload is missing, and nothing on the log says why' });
    }
  }

  problem(problem: VerifyProblem): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem);
  }

  report(rest: { blobs: number }): VerifyReport {
    const problems = [...this.#problems, ...this.#torn].slice(0, MAX_PROBLEMS);
    return { events: this.events, streams: this.#streams, erased: this.#erased, blobs: rest.blobs, problems };
  }

  #refused(records: readonly StoredEvent[], reason: Refusal): void {
    for (const { seq } of records) {
      const problem = { stream: this.#stream, seq, problem: IN_WORDS[reason] };
      if (reason !== 'torn') this.problem(problem);
      else if (this.#torn.length < MAX_PROBLEMS) this.#torn.push(problem);
    }
    const last = records.at(-1);
    // Go on from there: one broken event is one problem, not one for each that follows it.
    if (last !== undefined)
      this.#head = { seq: last.seq, hash: last.hash, epoch: Math.max(this.#head.epoch, last.class === 'claim' ? last.epoch : 0) };
  }
}

/**
 * What is wrong with one stream of a log, event by event: the same check as that of the whole log, which also looks for blobs. Holds its
 * append ids in memory.
 */
export async function verifyStream(log: Pick<Log, 'read' | 'archive'>, stream: string): Promise<readonly VerifyProblem[]> {
  const appends = new Map<string, { n: number; seq: number }>();
  const missing = await missingPayloads(log);
  const verifier = new StreamVerifier(sha256, {
    findAppend: (_, id, before) => {
      const found = appends.get(id);
      return found !== undefined && found.seq < before ? found : null;
    },
    hasBlob: () => true,
    skipped: new Set(missing.map((one) => `${one.stream}#${one.seq}`)),
  });
  verifier.begin(stream);
  for await (const batch of log.archive.readStored(stream)) {
    for (const stored of batch) {
      const { id, i, n } = stored.append;
      if (i === 0 && !appends.has(id)) appends.set(id, { n, seq: stored.seq });
      verifier.add(stored);
    }
  }
  verifier.end();
  return verifier.report({ blobs: 0 }).problems;
}
