import type { LogEvent, NewEvent, StoredEvent } from '@dreamfold/events';
import { placeOf, type Cursor } from '../cursor.ts';
import type { Log } from '../port.ts';

/**
 * Opens a log for a test.
 * @param place names where it is kept. The same place again is another handle on the same log, for a backend whose
 * capabilities say that it is shared or survives its process; a new one is an empty log
 */
export type OpenLog = (place: string) => Promise<Log>;

/** What every group of cases works with. */
export interface LogUnderTest {
  /** A log of its own for each case, closed after it. */
  fresh(): Promise<Log>;
  /** Another handle on the log of this case. */
  again(): Promise<Log>;
}

/** A user's message: the simplest event there is. */
export function message(text: string, change: Partial<NewEvent> = {}): NewEvent {
  return { type: 'user.message', data: { content: [{ type: 'text', text }] }, class: 'open', actor: 'user', ...change };
}

export function claim(nonce = 'n'): NewEvent {
  return { type: 'session.claimed', data: { nonce }, class: 'claim', actor: 'system' };
}

/** An event that only the owner may write. */
export function answer(text: string): NewEvent {
  return { type: 'agent.message', data: { content: [{ type: 'text', text }] }, class: 'owner', actor: 'sthr_1' };
}

/** Appends `count` single messages to a stream that is empty. */
export async function fill(log: Log, stream: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    await log.append({ stream, id: `fill${i}`, expected: i, events: [message(`message ${i}`)] });
  }
}

export async function collect<E>(batches: AsyncIterable<readonly E[]>): Promise<E[]> {
  const all: E[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

export async function readAll(log: Log, stream: string): Promise<LogEvent[]> {
  return collect(log.read(stream));
}

export async function readAllStored(log: Log, stream: string): Promise<StoredEvent[]> {
  return collect(log.archive.readStored(stream));
}

/** The error code that a promise rejects with, `'resolved'` when it does not. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'resolved',
    (error: { code?: unknown }) => error.code ?? error,
  );
}

/** The cursor before the last events of a partition: that of a stream's last event. */
export async function before(log: Log, count: number, stream: string): Promise<Cursor> {
  const { position } = (await readAll(log, stream)).at(-1)!;
  const { partition } = placeOf(position, log.capabilities.partitions);
  return (await log.cursor()).map((seen, i) => (i === partition ? seen - count : seen));
}

/** Of each partition, the ordinals of the events that were given, in the order in which they were given. */
export function ordinalsOf(log: Log, events: readonly LogEvent[]): number[][] {
  const ordinals: number[][] = Array.from({ length: log.capabilities.partitions }, () => []);
  for (const { position } of events) {
    const { partition, ordinal } = placeOf(position, log.capabilities.partitions);
    ordinals[partition]!.push(ordinal);
  }
  return ordinals;
}

/** Of each partition, the ordinals between two cursors. */
export function ordinalsBetween(after: Cursor, through: Cursor): number[][] {
  return after.map((seen, i) => Array.from({ length: Math.max(0, through[i]! - seen) }, (_, k) => seen + 1 + k));
}
