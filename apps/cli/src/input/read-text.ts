import { asReadError, readRegularFile } from '@dreamfold/runtime';
import { DreamfoldError } from 'dreamfold';

/**
 * The whole of a UTF-8 text.
 * @param path a file, or `-` for standard input
 * @throws DreamfoldError not_found, invalid_path, payload_too_large, invalid_text
 */
export async function readText(path: string, { maxBytes }: { maxBytes: number }): Promise<string> {
  if (path !== '-') return (await readRegularFile(path, { maxBytes })).replace(/^\uFEFF/, '');
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of process.stdin) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > maxBytes) {
        throw new DreamfoldError('payload_too_large', `${path} holds more than ${maxBytes} bytes`, { path, remedy: 'Split it.' });
      }
    }
  } catch (error) {
    throw asReadError(error, path);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new DreamfoldError('invalid_text', `${path} is not UTF-8`, { path, remedy: 'Save it as UTF-8.', cause });
  }
}
