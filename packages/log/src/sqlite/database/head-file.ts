import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fdatasyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { GENESIS_HASH } from '@dreamfold/events';
import { sha256 } from '../../rule/append.ts';
import { corrupt } from './sqlite-error.ts';

/** The newest event of the whole log. */
export interface LogHead {
  position: number;
  hash: string;
}

const ACCEPT = 'Restore the data directory from a copy; or run `dreamfold verify --accept-head` to go on from what is left.';

const ACCEPT_NO_DIRECTORY = `Move the directory away. ${ACCEPT}`;

/** Always the same length, so that a write replaces it whole. */
function lineOf({ position, hash }: LogHead): string {
  const text = `${String(position).padStart(16, '0')} ${hash.padEnd(43, '.')}`;
  return `${text} ${sha256(text).slice(0, 22)}\n`;
}

/**
 * The log-wide head in a file of its own. A flipped bit in a write-ahead log makes SQLite drop the rest of it
 * without an error; only something outside the database can tell that events are missing at the end.
 */
export class HeadFile {
  readonly path: string;
  #fd: number | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * @returns null when there is no such file, or an empty one: a disk that is full can leave one behind
   * @throws DreamfoldError store_corrupt when it is not what was written
   */
  read(): LogHead | null {
    let line = '';
    // Another process may be in the middle of its write; it is a hundred bytes long.
    for (let attempt = 0; attempt < 20; attempt += 1) {
      try {
        line = readFileSync(this.path, 'latin1');
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') return null;
        if (code === 'EISDIR')
          throw corrupt(this.path, `${this.path} is a directory; a file says how far the log goes`, ACCEPT_NO_DIRECTORY);
        throw error;
      }
      if (line === '') return null;
      const match = /^(\d{16}) (\S{43}) (\S{22})\n$/.exec(line);
      const head = match === null ? null : { position: Number(match[1]), hash: match[2]!.replace(/\.+$/, '') };
      if (head !== null && lineOf(head) === line) return head;
    }
    throw corrupt(this.path, `${this.path} is damaged; it says how far the log goes`, ACCEPT);
  }

  /**
   * Creates the file before the database, so that a database without it is one that lost it. It comes into being whole:
   * a disk that is full must not leave a damaged one behind.
   */
  create(): void {
    const draft = `${this.path}.${randomBytes(6).toString('hex')}.new`;
    try {
      writeFileSync(draft, lineOf({ position: 0, hash: GENESIS_HASH }), { encoding: 'latin1', mode: 0o644 });
      try {
        linkSync(draft, this.path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        // Another process was faster, and may have written to its file already; only an empty one is replaced.
        if (statSync(this.path).size === 0) renameSync(draft, this.path);
      }
    } finally {
      removeDraft(draft);
    }
  }

  write(head: LogHead, sync: boolean): void {
    this.#fd ??= openSync(this.path, constants.O_CREAT | constants.O_WRONLY, 0o644);
    writeSync(this.#fd, lineOf(head), 0, 'latin1');
    if (sync) fdatasyncSync(this.#fd);
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

/** Whatever went wrong with the draft itself is told already. */
function removeDraft(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}

/**
 * Compares the file with the database. The database may be ahead: a process can die between its commit and the
 * write of the file, and others write too. So the file is read first.
 * @throws DreamfoldError store_corrupt
 */
export function checkHead(
  path: string,
  head: LogHead | null,
  table: { last(): LogHead; hashAtPosition(position: number): string | null },
): void {
  if (head === null) {
    throw corrupt(path, `${path} is missing or empty; it says how far the log goes`, ACCEPT);
  }
  const last = table.last().position;
  if (head.position > last) {
    throw corrupt(path, `The log has ${head.position} events, but its database only ${last}: its end was lost`, ACCEPT);
  }
  if (head.position > 0 && table.hashAtPosition(head.position) !== head.hash) {
    throw corrupt(path, `Event ${head.position} of the log is not the one that was written`, ACCEPT);
  }
}
