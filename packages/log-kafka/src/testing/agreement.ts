import { setTimeout as pause } from 'node:timers/promises';
import type { KafkaLog } from '../kafka-log.ts';

export interface Agreement {
  events: number;
  streams: number;
  /** Streams whose heads differ between two nodes, and partitions whose counts or last events do. */
  differences: string[];
  /** What `verify` of any of them has found. */
  problems: string[];
}

/**
 * Compares what nodes have of a log, once all have come as far.
 * @param logs at least one of them opened after the last write
 */
export async function compareNodes(logs: readonly KafkaLog[], timeoutMs = 30_000): Promise<Agreement> {
  await sameCursor(logs, timeoutMs);
  const held = await Promise.all(logs.map(holds));
  const places = [...new Set(held.flatMap((one) => [...one.keys()]))];
  const differences = places.flatMap((place) => {
    const values = held.map((one) => one.get(place) ?? 'nothing');
    return new Set(values).size === 1 ? [] : [`${place}: ${values.join(' | ')}`];
  });
  const problems: string[] = [];
  let events = 0;
  for (const [index, log] of logs.entries()) {
    const report = await log.archive.verify();
    problems.push(...report.problems.map(({ stream, seq, problem }) => `node ${index}: ${stream}#${seq}: ${problem}`));
    events = report.events;
  }
  return { events, streams: places.filter((place) => !place.startsWith('partition ')).length, differences, problems };
}

async function sameCursor(logs: readonly KafkaLog[], timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const cursors = await Promise.all(logs.map(async (log) => (await log.cursor()).join()));
    if (new Set(cursors).size === 1) return;
    if (performance.now() > deadline) throw new Error(`The nodes do not come as far: ${cursors.join(' | ')}`);
    await pause(50);
  }
}

/** Head of every stream; count and last event of every partition. */
async function holds(log: KafkaLog): Promise<Map<string, string>> {
  const held = new Map<string, string>();
  for await (const streams of log.streams()) {
    for (const { stream } of streams) {
      const { seq, hash, epoch } = await log.head(stream);
      held.set(stream, `${seq} ${hash} ${epoch}`);
    }
  }
  const cursor = await log.cursor();
  const before = cursor.map((count) => Math.max(0, count - 1));
  for await (const [last] of log.readRange(before, cursor)) {
    const partition = (last!.position - 1) % cursor.length;
    held.set(`partition ${partition}`, `${cursor[partition]} ${last!.hash}`);
  }
  return held;
}
