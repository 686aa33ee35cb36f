import type { StreamInfo } from '../../port.ts';
import { BATCH_SIZE } from '../../subscription.ts';
import type { EventTable } from './event-table.ts';

/**
 * Streams in the order of their first event, with their heads.
 * @param kind part of the name before the slash, all when left out
 * @param guard gives errors their names
 */
export async function* listStreams(
  table: EventTable,
  kind: string | undefined,
  guard: <T>(run: () => T) => T,
): AsyncGenerator<readonly StreamInfo[], void, undefined> {
  for (let after = 0; ;) {
    const start = after;
    const rows = guard(() => table.streams.after(start, BATCH_SIZE));
    if (rows.length === 0) return;
    after = rows.at(-1)!.id;
    const wanted = rows.filter(({ name }) => kind === undefined || name.startsWith(`${kind}/`));
    if (wanted.length > 0) yield wanted.map(({ id, name }) => ({ stream: name, head: guard(() => table.head(id)) }));
  }
}
