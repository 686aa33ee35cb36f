import { DreamfoldError } from '@dreamfold/events';
import { asReadError, openRegularFile } from './regular-file.ts';

/** A line is held in memory; a file without line breaks must not fill it. Less than the longest string that V8 can hold. */
const MAX_LINE_CHARS = 500_000_000;

/**
 * The lines of a UTF-8 file without their line breaks, and how many bytes have been read by then. Only \n and \r\n end a
 * line: JSON text may hold the other line separators of Unicode.
 * @throws DreamfoldError not_found, invalid_path, invalid_text, payload_too_large
 */
export async function* readLines(
  path: string,
  maxLineChars = MAX_LINE_CHARS,
): AsyncGenerator<{ line: string; bytesRead: number }, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest = '';
  let bytesRead = 0;
  const decode = (bytes?: Buffer): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw new DreamfoldError('invalid_text', `${path} is not UTF-8`, { path, remedy: 'Save the file as UTF-8.', cause });
    }
  };
  const file = await openRegularFile(path);
  try {
    for await (const chunk of file.createReadStream()) {
      const bytes = chunk as Buffer;
      bytesRead += bytes.length;
      const lines = decode(bytes).split('\n');
      lines[0] = rest + (lines[0] ?? '');
      rest = lines.pop() ?? '';
      if (rest.length > maxLineChars) throw lineTooLong(path, maxLineChars);
      for (const line of lines) yield { line: line.endsWith('\r') ? line.slice(0, -1) : line, bytesRead };
    }
  } catch (error) {
    throw asReadError(error, path);
  }
  rest += decode();
  if (rest !== '') yield { line: rest, bytesRead };
}

/** The whole of a UTF-8 file. @throws DreamfoldError as readLines */
export async function readText(path: string): Promise<string> {
  const lines: string[] = [];
  for await (const { line } of readLines(path)) lines.push(line);
  return lines.join('\n');
}

/** The first characters of a file, without its byte order mark; what is no UTF-8 shows as U+FFFD. @throws DreamfoldError as fileSizeBytes */
export async function readBeginning(path: string, maxBytes = 4096): Promise<string> {
  const file = await openRegularFile(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
    return new TextDecoder().decode(buffer.subarray(0, bytesRead));
  } catch (error) {
    throw asReadError(error, path);
  } finally {
    await file.close();
  }
}

/** @throws DreamfoldError not_found, invalid_path */
export async function fileSizeBytes(path: string): Promise<number> {
  const file = await openRegularFile(path);
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/**
 * That a file begins as JSON does. What does not, such as a large file of another kind, is not to be read to its end to be told so.
 * @throws DreamfoldError not_found, invalid_path, invalid_json
 */
export async function needJsonStart(path: string): Promise<void> {
  const start = (await readBeginning(path)).trimStart();
  if (start === '' || start.startsWith('{') || start.startsWith('[')) return;
  throw new DreamfoldError('invalid_json', `${path}:1 is not JSON: it begins with ${JSON.stringify(start.slice(0, 20).toWellFormed())}`, {
    path: `${path}:1`,
    remedy: 'Name a file that holds JSON.',
  });
}

function lineTooLong(path: string, maxLineChars: number): DreamfoldError {
  return new DreamfoldError('payload_too_large', `${path} has a line of more than ${maxLineChars} characters`, {
    path,
    remedy: 'Write one row a line.',
  });
}
