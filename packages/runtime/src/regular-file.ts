import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { DreamfoldError, isDreamfoldError } from '@dreamfold/events';

/**
 * Opens a file to read it. Only a regular file has an end: a FIFO would wait for a writer for ever, and a device may have no end, so both
 * are refused, like all else that is no file.
 * @throws DreamfoldError not_found, invalid_path
 */
export async function openRegularFile(path: string): Promise<FileHandle> {
  let file: FileHandle | undefined;
  try {
    // Before it is opened, since that alone may set a device going; and after, since another may have taken its place meanwhile.
    needRegular(await stat(path), path);
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    needRegular(await file.stat(), path);
    return file;
  } catch (error) {
    await file?.close();
    throw asReadError(error, path);
  }
}

/**
 * The whole of a UTF-8 file.
 * @throws DreamfoldError not_found, invalid_path, payload_too_large, invalid_text
 */
export async function readRegularFile(path: string, limit: { maxBytes: number }): Promise<string> {
  return decode(await readRegularBytes(path, limit), path);
}

/**
 * The bytes of a file.
 * @throws DreamfoldError not_found, invalid_path, payload_too_large
 */
export async function readRegularBytes(path: string, { maxBytes }: { maxBytes: number }): Promise<Buffer> {
  const file = await openRegularFile(path);
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw tooLarge(path, maxBytes);
    const bytes = await file.readFile();
    if (bytes.length > maxBytes) throw tooLarge(path, maxBytes);
    return bytes;
  } catch (error) {
    throw asReadError(error, path);
  } finally {
    await file.close();
  }
}

/** The text byte for byte: a byte order mark is part of it. */
function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new DreamfoldError('invalid_text', `${path} is not UTF-8`, { path, remedy: 'Save it as UTF-8.', cause });
  }
}

/** The named error for what the file system threw; what is named already stays as it is. */
export function asReadError(error: unknown, path: string): unknown {
  if (isDreamfoldError(error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const wrong = (why: string, remedy: string): DreamfoldError =>
    new DreamfoldError('invalid_path', `${path} ${why}`, { path, remedy, cause: error });
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new DreamfoldError('not_found', `There is no file ${path}`, { path, remedy: 'Correct the path.', cause: error });
    case 'EISDIR':
      return wrong('is a directory', 'Name a file.');
    case 'EACCES':
    case 'EPERM':
      return wrong("can't be read", 'Make it readable.');
    case 'ENAMETOOLONG':
      return wrong('is too long for the name of a file', 'Correct the path.');
    case 'ELOOP':
      return wrong('is a link that leads to itself', 'Name the file itself.');
    case undefined:
      return error;
    default:
      return wrong(`can't be read: ${message}`, 'Check that the disk works, or name a copy of the file elsewhere.');
  }
}

type Kind = Pick<Awaited<ReturnType<typeof stat>>, 'isFile' | 'isDirectory' | 'isFIFO' | 'isSocket'>;

function needRegular(kind: Kind, path: string): void {
  if (kind.isFile()) return;
  const what = kind.isDirectory() ? 'directory' : kind.isFIFO() ? 'pipe' : kind.isSocket() ? 'socket' : 'device';
  throw new DreamfoldError('invalid_path', `${path} is a ${what}, and not a file`, { path, remedy: 'Name a file.' });
}

function tooLarge(path: string, maxBytes: number): DreamfoldError {
  return new DreamfoldError('payload_too_large', `${path} holds more than ${maxBytes} bytes`, {
    path,
    remedy: 'Name the file that is meant, or split it.',
  });
}
