import type { KafkaLog } from '../kafka-log.ts';
import { WRITERS, planned, type Acknowledged, type Writer } from './load.ts';

interface Line {
  acks: Acknowledged[];
  /** When the newest came. */
  at: number;
}

/** What the writers of a load were told, to be compared with what the log holds in the end. */
export class Ledger {
  readonly #lines = new Map<string, Line>();
  appends = 0;
  /** Appends that had counted and were sent again by a process that did not know. */
  duplicates = 0;
  /** The longest that a writer waited for an acknowledgement. */
  longestGapMs = 0;

  constructor(nodes: readonly string[]) {
    for (const node of nodes) for (const writer of WRITERS) this.#lines.set(`${node}.${writer}`, { acks: [], at: performance.now() });
  }

  record(ack: Acknowledged): void {
    const line = this.#lines.get(`${ack.node}.${ack.writer}`)!;
    if (ack.k !== line.acks.length + 1) throw new Error(`${ack.node}.${ack.writer}.${ack.k} was acknowledged after ${line.acks.length}`);
    const now = performance.now();
    this.longestGapMs = Math.max(this.longestGapMs, now - line.at);
    line.at = now;
    line.acks.push(ack);
    this.appends += 1;
    if (ack.duplicate) this.duplicates += 1;
  }

  /** Number of the first append of each writer that was not acknowledged. */
  next(node: string): Record<Writer, number> {
    return Object.fromEntries(WRITERS.map((writer) => [writer, this.#lines.get(`${node}.${writer}`)!.acks.length + 1])) as never;
  }

  /** Number of acknowledgements of each writer. */
  counts(): Map<string, number> {
    return new Map([...this.#lines].map(([name, { acks }]) => [name, acks.length]));
  }

  /**
   * Compares a log with what was acknowledged.
   * @returns ids of appends that were acknowledged and are not there as they were acknowledged; ids of events that stand there twice, or
   * of an append of which only a part is there; ids that nobody has sent
   */
  async compare(log: KafkaLog): Promise<{ lost: string[]; twice: string[]; unsent: string[] }> {
    const there = new Map<string, { n: number; seq: number; hash: string }>();
    const report = { lost: [] as string[], twice: [] as string[], unsent: [] as string[] };
    for await (const streams of log.streams('session')) {
      for (const { stream } of streams) {
        for await (const events of log.archive.readStored(stream)) {
          for (const { append, seq, hash, class: kind } of events) {
            if (kind === 'claim') continue;
            const before = there.get(append.id) ?? { n: 0, seq: seq - 1 };
            if (append.i !== before.n || seq !== before.seq + 1) report.twice.push(append.id);
            there.set(append.id, { n: before.n + 1, seq, hash });
          }
        }
      }
    }
    for (const [name, { acks }] of this.#lines) {
      const [node, writer] = name.split('.') as [string, Writer];
      for (const ack of acks) {
        const { id, n } = planned(node, writer, ack.k);
        const found = there.get(id);
        if (found?.n !== n || found.seq !== ack.seq || found.hash !== ack.hash) report.lost.push(id);
        there.delete(id);
      }
      // The last one may have counted without having been acknowledged.
      there.delete(planned(node, writer, acks.length + 1).id);
    }
    report.unsent.push(...there.keys());
    return report;
  }
}
