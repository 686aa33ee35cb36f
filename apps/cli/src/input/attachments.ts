import { basename } from 'node:path';
import { readRegularBytes } from '@dreamfold/runtime';
import { DreamfoldError, type GivenBlock } from 'dreamfold';

/** What the Messages API takes as one image. */
const MAX_IMAGE_BYTES = 5 * 1024 * 1024;
/** As base64, with as much again beside it, less than the Messages API takes as one request. */
const MAX_DOCUMENT_BYTES = 12 * 1024 * 1024;

/** How a file of each kind begins, byte by byte; a dot stands for any. */
const SIGNATURES: readonly [mediaType: string, begins: RegExp][] = [
  ['image/png', /^\x89PNG\r\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF.{4}WEBP/s],
  ['application/pdf', /^%PDF-/],
];

/** The option `--attach`, for commands that say something to an agent. */
export const ATTACH = ['--attach <file>', 'an image (PNG, JPEG, GIF, WebP), a PDF or a text to go with it; may be repeated'] as const;

/**
 * What is said, with files: images and documents first, as models read them best. What a file is, its bytes say, and not its name.
 * @throws DreamfoldError not_found, invalid_path, payload_too_large; invalid_argument for a file that is empty, or of another kind
 */
export async function withAttachments(words: string, files: readonly string[] = []): Promise<string | GivenBlock[]> {
  if (files.length === 0 || words.trim() === '') return words;
  const blocks: GivenBlock[] = [];
  for (const file of files) blocks.push(attachment(file, await readRegularBytes(file, { maxBytes: MAX_DOCUMENT_BYTES })));
  return [...blocks, { type: 'text', text: words }];
}

function attachment(file: string, bytes: Buffer): GivenBlock {
  const start = bytes.toString('latin1', 0, 16);
  const mediaType = SIGNATURES.find(([, begins]) => begins.test(start))?.[0];
  const title = basename(file);
  if (mediaType === undefined)
    return { type: 'document', source: { type: 'text', media_type: 'text/plain', data: textOf(file, bytes) }, title };
  const source = { type: 'base64' as const, media_type: mediaType, data: bytes.toString('base64') };
  if (mediaType === 'application/pdf') return { type: 'document', source, title };
  if (bytes.length <= MAX_IMAGE_BYTES) return { type: 'image', source };
  throw new DreamfoldError('payload_too_large', `${file} is an image of ${bytes.length} bytes, and one may have ${MAX_IMAGE_BYTES}`, {
    path: '--attach',
    value: file,
    remedy: 'Make it smaller.',
  });
}

function textOf(file: string, bytes: Buffer): string {
  let text: string | null = null;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Told below, as a text with NUL is, which is none.
  }
  if (text !== null && text.trim() !== '' && !text.includes('\0')) return text;
  const what = text?.trim() === '' ? 'is empty' : 'is no image (PNG, JPEG, GIF, WebP), no PDF and no UTF-8 text';
  throw new DreamfoldError('invalid_argument', `${file} ${what}`, {
    path: '--attach',
    value: file,
    remedy: 'Name another file, or convert it.',
  });
}
