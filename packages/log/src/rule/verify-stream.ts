import type { StoredEvent } from '@dreamfold/events';
import { sha256 } from './append.ts';
import type { Archive, Head, VerifyProblem, VerifyReport } from '../port.ts';
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

/** Reads one stream after the other and checks each by the rule. Holds one append at a time. */
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

  /** @param findAppend size of the append with this id that begins before a seq of the stream, 0 when there is none */
  constructor(hash: HashText, findAppend: (stream: string, appendId: string, before: number) => number) {
    this.#context = {
      hash,
      counted: {
        head: () => this.#head,
        appendSize: (stream, appendId) => findAppend(stream, appendId, this.#head.seq + 1),
      },
      inPartition: (stream) => stream === this.#stream,
    };
  }

  begin(stream: string): void {
    this.#streams += 1;
    this.#stream = stream;
    this.#head = EMPTY_HEAD;
    this.#pending = [];
  }

  add(stored: StoredEvent): void {
    this.events += 1;
    if (stored.data === null) this.#erased += 1;
    const { pending, judged } = foldRecord(this.#pending, stored, this.#context);
    this.#pending = pending;
    for (const { records, verdict } of judged) {
      if (verdict.counted) this.#head = verdict.head;
      else this.#refused(records as readonly StoredEvent[], verdict.reason);
    }
  }

  end(): void {
    this.#refused(this.#pending, 'torn');
    this.#pending = [];
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

/** What is wrong with one stream of a log, event by event: the same check as that of the whole log. Holds its append ids in memory. */
export async function verifyStream(archive: Pick<Archive, 'readStored'>, stream: string): Promise<readonly VerifyProblem[]> {
  const appends = new Map<string, { n: number; seq: number }>();
  const verifier = new StreamVerifier(sha256, (_, id, before) => {
    const found = appends.get(id);
    return found !== undefined && found.seq < before ? found.n : 0;
  });
  verifier.begin(stream);
  for await (const batch of archive.readStored(stream)) {
    for (const stored of batch) {
      const { id, i, n } = stored.append;
      if (i === 0 && !appends.has(id)) appends.set(id, { n, seq: stored.seq });
      verifier.add(stored);
    }
  }
  verifier.end();
  return verifier.report({ blobs: 0 }).problems;
}
