import { DreamfoldError, isPlainText, type BlobRef, type Content, type ContentBlock } from '@dreamfold/events';

/** Data up to so many characters stays in its event, unless there is much of it. */
const INLINE_CHARS = 16 * 1024;
/** What content takes at most, as JSON; its event holds other fields. */
const MAX_CONTENT_CHARS = 64 * 1024;
const MAX_BLOB_BYTES = 16 * 1024 * 1024;

/** Bytes and their text, which the platform has. */
export interface BytesCodec {
  fromBase64(data: string): Uint8Array;
  toBase64(bytes: Uint8Array): string;
  fromText(text: string): Uint8Array;
  toText(bytes: Uint8Array): string;
  /** As a log names a blob. */
  sha256(bytes: Uint8Array): string;
}

/** Content that fits into an event, and what it names. The blobs are stored before the event. */
export interface SmallContent {
  content: Content;
  blobs: readonly Uint8Array[];
}

/**
 * Takes out of content what is too large for an event: the data of images and documents, and whole blocks of an unknown type. A hash
 * stands in their place. Plain text is left as it is.
 * @param codec null to take nothing out
 * @param path what it is called, in errors
 * @throws DreamfoldError payload_too_large
 */
export function takeOutData(content: Content, codec: BytesCodec | null, path: string): SmallContent {
  if (isPlainText(content)) return { content, blobs: [] };
  for (const limit of [INLINE_CHARS, 0]) {
    const blobs: Uint8Array[] = [];
    const small = codec === null ? content : content.map((block) => smallBlock(block, { limit, codec, path, blobs }));
    if (JSON.stringify(small).length <= MAX_CONTENT_CHARS) return { content: small, blobs };
  }
  throw new DreamfoldError('payload_too_large', `${path} is too large, even without the data of its images and documents`, {
    path,
    remedy: `Give it in parts: the text of all blocks together may have ${MAX_CONTENT_CHARS} characters. Longer text can be a document.`,
  });
}

interface Taking {
  limit: number;
  codec: BytesCodec;
  path: string;
  blobs: Uint8Array[];
}

function smallBlock(block: ContentBlock, taking: Taking): ContentBlock {
  switch (block.type) {
    case 'image':
    case 'document':
      return { ...block, source: smallSource(block.source, taking) };
    case 'unknown': {
      const { block: whole, ...named } = block;
      const json = whole === undefined ? '' : JSON.stringify(whole);
      return json.length <= taking.limit ? block : { ...named, df_blob: taken(taking.codec.fromText(json), taking) };
    }
    default:
      return block;
  }
}

type AnySource = Extract<ContentBlock, { type: 'image' }>['source'];

function smallSource(source: AnySource, taking: Taking): AnySource {
  const { codec, limit } = taking;
  if (source.type === 'content' && Array.isArray(source.content)) {
    // Text and images stand in it.
    return { ...source, content: source.content.map((inner) => smallBlock(inner as ContentBlock, taking)) };
  }
  if ((source.type !== 'base64' && source.type !== 'text') || source.data.length <= limit) return source;
  const bytes = source.type === 'base64' ? codec.fromBase64(source.data) : codec.fromText(source.data);
  // What would not come back as it was stays where it is.
  if ((source.type === 'base64' ? codec.toBase64(bytes) : codec.toText(bytes)) !== source.data) return source;
  return { type: 'blob', df_of: source.type, media_type: source.media_type, ...taken(bytes, taking) };
}

function taken(bytes: Uint8Array, { codec, path, blobs }: Taking): BlobRef {
  if (bytes.length > MAX_BLOB_BYTES) {
    throw new DreamfoldError('payload_too_large', `${path} holds ${bytes.length} bytes in one block; the limit is ${MAX_BLOB_BYTES}`, {
      path,
      value: bytes.length,
      remedy: 'Give a smaller file, or its address as a source of type url.',
    });
  }
  blobs.push(bytes);
  return { sha256: codec.sha256(bytes), size_bytes: bytes.length };
}

/**
 * The block as it was before {@link takeOutData}.
 * @param bytesOf gives a blob by its hash
 */
export function putBackData<T extends ContentBlock>(block: T, codec: BytesCodec, bytesOf: (sha256: string) => Uint8Array): T {
  if (block.type === 'unknown') {
    const { df_blob, ...named } = block;
    return df_blob === undefined ? block : ({ ...named, block: JSON.parse(codec.toText(bytesOf(df_blob.sha256))) as unknown } as T);
  }
  if (block.type !== 'image' && block.type !== 'document') return block;
  const { source } = block;
  if (source.type === 'content' && Array.isArray(source.content)) {
    const content = source.content.map((inner) => putBackData(inner as ContentBlock, codec, bytesOf));
    return { ...block, source: { ...source, content } };
  }
  if (source.type !== 'blob') return block;
  const { df_of: type, media_type, sha256 } = source;
  const bytes = bytesOf(sha256);
  return { ...block, source: { type, media_type, data: type === 'base64' ? codec.toBase64(bytes) : codec.toText(bytes) } };
}
