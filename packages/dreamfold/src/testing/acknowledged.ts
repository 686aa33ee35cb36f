import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDreamfoldError, type StoredEvent } from '@dreamfold/events';
import type { Head, Log } from '@dreamfold/log';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { exportStreams, importSessions } from '@dreamfold/runtime';
import fc from 'fast-check';
import { expect } from 'vitest';
import { anyAppend, type AnyAppend } from './any-append.ts';

/** Appends between two checks of the whole log. */
const BATCH = 500;

export interface Tally {
  taken: number;
  events: number;
  refused: Record<string, number>;
}

export interface Acknowledging {
  cases: number;
  seed: number;
  /** For files: a new name for each. */
  place: (name: string) => string;
  /** An empty log. */
  fresh: () => Promise<Log>;
  /** An empty log to import into; one like `fresh` when left out. */
  copy?: () => Promise<Log>;
  /** What else has to hold of a log when it has taken a batch. */
  andAlso?: (log: Log) => Promise<void>;
}

/**
 * What an append acknowledges, every reader takes: `verify` passes, an export of it can be imported and gives the same export again,
 * byte for byte, and a replica that folds the records from nothing has the same heads. What is refused is refused by name, and leaves nothing.
 */
export async function acknowledgedIsReadable({ cases, seed, place, fresh, copy = fresh, andAlso }: Acknowledging): Promise<Tally> {
  const tally: Tally = { taken: 0, events: 0, refused: {} };
  for (let from = 0; from < cases; from += BATCH) {
    const appends = appendsOf(seed + from).slice(0, cases - from);
    const log = await fresh();
    const written = new Map<string, Given[]>();
    for (const [i, append] of appends.entries()) await appendOne(log, { append, id: `${from + i}${append.idEnd}`, written, tally });
    await checkStored(log, written);
    const report = await log.archive.verify();
    expect(report.problems).toEqual([]);
    await checkExport(log, { file: place(`export-${from}.jsonl`), copy: await copy() });
    await checkReplica(log, place(`replica-${from}`));
    await andAlso?.(log);
    await log.close();
  }
  return tally;
}

/** Made once for all the logs that are to take them. */
const made = new Map<number, AnyAppend[]>();

function appendsOf(seed: number): AnyAppend[] {
  const appends = made.get(seed) ?? fc.sample(anyAppend, { numRuns: BATCH, seed });
  made.set(seed, appends);
  return appends;
}

/** A payload as it was given. */
interface Given {
  text: string;
  isEscaped: boolean;
}

interface Writing {
  append: AnyAppend;
  id: string;
  /** The payloads of each stream, as they were given. */
  written: Map<string, Given[]>;
  tally: Tally;
}

async function appendOne(log: Log, { append, id, written, tally }: Writing): Promise<void> {
  const { stream, events, correlation, time } = append;
  const head = await log.head(stream);
  const owned = events.some((event) => event.class !== 'open');
  const epoch = head.epoch + (events[0]?.class === 'claim' ? 1 : 0);
  const before = await log.cursor();
  try {
    const request = { stream, id, events, time, expected: owned ? head.seq : ('any' as const), ...(owned ? { epoch } : {}) };
    await log.append(correlation === null ? request : { ...request, correlation });
  } catch (error) {
    if (!isDreamfoldError(error)) throw new Error(`not named: ${String(error)}, of ${JSON.stringify(append)}`, { cause: error });
    expect(error.remedy).toMatch(/\w.*\.$/s);
    expect(await log.cursor()).toEqual(before);
    tally.refused[error.code] = (tally.refused[error.code] ?? 0) + 1;
    return;
  }
  tally.taken += 1;
  tally.events += events.length;
  written.set(stream, [
    ...(written.get(stream) ?? []),
    ...events.map(({ data }) => ({ text: JSON.stringify(data), isEscaped: hasEscapedKey(data) })),
  ]);
}

/**
 * Whether JSON writes a key with an escape. V8 13.6 misreads such keys of one character when it has met objects of a like shape:
 * JSON.parse can give the key `\` for `"\""`. What is stored, hashed and exported is text; only the parsed view is concerned.
 */
function hasEscapedKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, child]) => JSON.stringify(key).length !== key.length + 2 || hasEscapedKey(child));
}

/** What is stored, hashed and given to readers is what the caller gave, as JSON: every key and every character of it. */
async function checkStored(log: Log, written: ReadonlyMap<string, readonly Given[]>): Promise<void> {
  for (const [stream, payloads] of written) {
    expect((await all(log.archive.readStored(stream))).map(({ data }) => data)).toEqual(payloads.map(({ text }) => text));
    const read = (await all(log.read(stream))).map(({ data }) => JSON.stringify(data));
    expect(read.map((text, i) => (payloads.at(i)?.isEscaped ? payloads.at(i)?.text : text))).toEqual(payloads.map(({ text }) => text));
  }
}

async function checkExport(log: Log, { file, copy }: { file: string; copy: Log }): Promise<void> {
  const exported = await exportOf(log);
  writeFileSync(file, exported.join(''));
  await importSessions(copy, { file, format: 'dreamfold' });
  // The first line names the log, and the last one digests it.
  expect((await exportOf(copy)).slice(1, -1)).toEqual(exported.slice(1, -1));
  expect((await copy.archive.verify()).problems).toEqual([]);
  await copy.close();
}

async function exportOf(log: Log): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of exportStreams(log)) lines.push(line);
  return lines;
}

/** The records as another process reads them: as text, in the order of the partition. */
async function checkReplica(log: Log, directory: string): Promise<void> {
  const heads: { stream: string; head: Head }[] = [];
  for await (const batch of log.streams()) heads.push(...batch);
  const events: StoredEvent[] = [];
  for (const { stream } of heads) events.push(...(await all(log.archive.readStored(stream))));
  const records = events.map((event, offset) => {
    const bytes = JSON.stringify(event);
    return { offset, term: 0, bytes, record: JSON.parse(bytes) as unknown };
  });
  const replica = sqliteReplicas.openPartition({ directory, partition: 0 });
  try {
    replica.fold(records);
    expect([...replica.setAside()]).toEqual([]);
    expect(heads.map(({ stream }) => ({ stream, head: replica.head(stream) }))).toEqual(heads);
  } finally {
    replica.close();
  }
}

export async function all<E>(batches: AsyncIterable<readonly E[]>): Promise<E[]> {
  const found: E[] = [];
  for await (const batch of batches) found.push(...batch);
  return found;
}

/** A directory's way to name files in it. */
export function placeIn(directory: string): (name: string) => string {
  return (name) => join(directory, name);
}
