import type { BlobChunk, SideStore } from '@dreamfold/log/backend';
import type { FetchedRecord, HeaderValue } from '../driver/driver.ts';

/** What one chunk holds at most. */
export const CHUNK_BYTES = 512 * 1024;

/** What one blob has at most: half a GiB, since it is in memory whole when it is put and read. */
export const MAX_CHUNKS = 1024;

/** What all puts that lack a chunk take on a disk at most. */
const MOST_WAITING_BYTES = 2 * 1024 * 1024 * 1024;

/**
 * Takes the next record of the topic of blobs: a blob is there once all chunks of one put have come and come to its hash. What becomes of
 * a record follows from the records before it, by no clock and in no memory of this process, so a blob that is whole for one reader is
 * whole for each. Anything else is passed over: it can be no chunk, or take up room until it has waited longest.
 * @param mostBytes what may wait for its rest; a number for tests, since all readers must have the same
 */
export function foldChunk(
  store: Pick<SideStore, 'addChunk' | 'dropChunks' | 'hasBlob'>,
  record: FetchedRecord,
  mostBytes: number = MOST_WAITING_BYTES,
): void {
  const chunk = chunkIn(record);
  if (chunk === null || store.hasBlob(chunk.sha256)) return;
  store.addChunk(chunk);
  store.dropChunks(mostBytes);
}

function chunkIn({ offset, key, value, headers }: FetchedRecord): BlobChunk | null {
  const sha256 = key === null ? '' : Buffer.from(key).toString('latin1');
  const put = textIn(headers['put']);
  const [chunk, chunks] = [numberIn(headers['chunk']), numberIn(headers['chunks'])];
  if (value === null || value.byteLength > CHUNK_BYTES) return null;
  if (!/^[0-9a-f]{64}$/.test(sha256) || !/^[\w-]{1,40}$/.test(put) || chunk === null || chunks === null) return null;
  return chunk < chunks && chunks <= MAX_CHUNKS ? { sha256, put, chunk, chunks, bytes: value, offset } : null;
}

function numberIn(header: HeaderValue | undefined): number | null {
  const text = textIn(header);
  return /^\d{1,4}$/.test(text) ? Number(text) : null;
}

function textIn(header: HeaderValue | undefined): string {
  return header instanceof Uint8Array ? Buffer.from(header).toString('latin1') : '';
}
