import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';

// "The WAL Format" of https://sqlite.org/fileformat2.html: a header of 32 bytes, then frames of 24 bytes and a page.
const HEADER_BYTES = 32;
const FRAME_BYTES = 24;

/** The size of a file in bytes, null when there is none. */
export function sizeOf(path: string): number | null {
  return existsSync(path) ? statSync(path).size : null;
}

/** Whether commits of a database may stand in the file beside it. @param path of the database */
export function hasWriteAheadLog(path: string): boolean {
  return (sizeOf(`${path}-wal`) ?? 0) > 0;
}

/**
 * Whether all that was committed to the write-ahead log of a database stands in the database as well, byte for byte. Whoever may share
 * memory with writers need not ask: it says where to read.
 */
export function isApplied(path: string): boolean {
  const log = readFileSync(`${path}-wal`);
  const committed = committedPages(log);
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    for (const [number, page] of committed) {
      const at = (number - 1) * page.length;
      const inFile = Buffer.alloc(page.length);
      if (at + page.length > size || readSync(file, inFile, 0, page.length, at) < page.length || !inFile.equals(page)) return false;
    }
    return true;
  } finally {
    closeSync(file);
  }
}

/** The pages up to the last commit, each as it was written last. Checksums are not looked at: what is torn is in no database either. */
function committedPages(log: Buffer): ReadonlyMap<number, Buffer> {
  const pages = new Map<number, Buffer>();
  if (log.length < HEADER_BYTES) return pages;
  const pageBytes = log.readUInt32BE(8);
  const salts = log.subarray(16, 24);
  let uncommitted: [number, Buffer][] = [];
  for (let at = HEADER_BYTES; at + FRAME_BYTES + pageBytes <= log.length; at += FRAME_BYTES + pageBytes) {
    // Frames of another generation are left over from before the log began anew.
    if (!log.subarray(at + 8, at + 16).equals(salts)) break;
    uncommitted.push([log.readUInt32BE(at), log.subarray(at + FRAME_BYTES, at + FRAME_BYTES + pageBytes)]);
    const pagesAfterCommit = log.readUInt32BE(at + 4);
    if (pagesAfterCommit === 0) continue;
    for (const [number, page] of uncommitted) pages.set(number, page);
    uncommitted = [];
    for (const number of pages.keys()) if (number > pagesAfterCommit) pages.delete(number);
  }
  return pages;
}
