import { DreamfoldError } from '@dreamfold/events';

/**
 * How much of a log was seen: of each partition, how many of its events. A log that is not partitioned has one.
 * Events of a partition have one order, the same for every reader; those of two partitions have none.
 */
export type Cursor = readonly number[];

/** More than any log has. */
const MAX_PARTITIONS = 100_000;

/**
 * Nothing of the log.
 * @throws DreamfoldError invalid_argument for what is no count of partitions
 */
export function cursorAtStart(partitions: number): Cursor {
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > MAX_PARTITIONS) {
    throw new DreamfoldError('invalid_argument', 'A log has a whole number of partitions, from 1 on', {
      path: 'partitions',
      value: partitions,
      remedy: 'Give `log.capabilities.partitions`.',
    });
  }
  return Array.from({ length: partitions }, () => 0);
}

/**
 * The position of an event in the whole log: the same for every reader, and rising within a partition. With one
 * partition, positions are 1, 2, 3, …
 * @param ordinal the event's place in its partition, from 1
 */
export function positionOf(partition: number, ordinal: number, partitions: number): number {
  return (ordinal - 1) * partitions + partition + 1;
}

/** The inverse of `positionOf`. */
export function placeOf(position: number, partitions: number): { partition: number; ordinal: number } {
  return { partition: (position - 1) % partitions, ordinal: Math.floor((position - 1) / partitions) + 1 };
}

/** Whether what a cursor has seen includes the event at a position. */
export function hasSeen(cursor: Cursor, position: number): boolean {
  const { partition, ordinal } = placeOf(position, cursor.length);
  return cursor[partition]! >= ordinal;
}

/** The cursor of who has seen one more event, the next of its partition. */
export function advanced(cursor: Cursor, position: number): Cursor {
  const { partition, ordinal } = placeOf(position, cursor.length);
  return cursor.map((seen, i) => (i === partition ? ordinal : seen));
}

/** Number of events that a cursor has seen. */
export function seenBy(cursor: Cursor): number {
  return cursor.reduce((sum, count) => sum + count, 0);
}

/**
 * @param path names it in the error
 * @throws DreamfoldError invalid_cursor
 */
export function checkCursor(cursor: Cursor, partitions: number, path = 'after'): void {
  const fits =
    Array.isArray(cursor) && cursor.length === partitions && cursor.every((count) => Number.isSafeInteger(count) && (count as number) >= 0);
  if (fits) return;
  throw new DreamfoldError('invalid_cursor', `A cursor of this log is ${partitions} count${partitions === 1 ? '' : 's'} of events`, {
    path,
    value: cursor,
    remedy: 'Pass a cursor that this log gave, or cursorAtStart() for the beginning.',
  });
}
