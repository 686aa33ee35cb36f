import { open, type FileHandle } from 'node:fs/promises';
import { DreamfoldError } from 'dreamfold';

/**
 * The whole of a UTF-8 text.
 * @param path a file, or `-` for standard input
 * @throws DreamfoldError not_found, invalid_path, payload_too_large, invalid_text
 */
export async function readText(path: string, { maxBytes }: { maxBytes: number }): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of await streamOf(path)) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > maxBytes) {
      throw new DreamfoldError('payload_too_large', `${path} holds more than ${maxBytes} bytes`, { path, remedy: 'Split it.' });
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new DreamfoldError('invalid_text', `${path} is not UTF-8`, { path, remedy: 'Save it as UTF-8.', cause });
  }
}

async function streamOf(path: string): Promise<AsyncIterable<unknown>> {
  if (path === '-') return process.stdin;
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    if ((await file.stat()).isDirectory()) throw new TypeError('it is a directory');
    return file.createReadStream();
  } catch (cause) {
    await file?.close();
    const missing = ['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '');
    const why = missing ? `There is no file ${path}` : `${path} can't be read: ${(cause as Error).message}`;
    throw new DreamfoldError(missing ? 'not_found' : 'invalid_path', why, { path, remedy: 'Name a file, or - for standard input.', cause });
  }
}
