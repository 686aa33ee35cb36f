import { hash } from 'node:crypto';
import { blobsIn, DreamfoldError, type Content, type ContentBlock } from '@dreamfold/events';
import {
  givenContent,
  putBackData,
  takeOutData,
  type BytesCodec,
  type GivenBlock,
  type ModelRequest,
  type RequestBlock,
} from '@dreamfold/core';
import type { Blobs } from '@dreamfold/log';

/** Bytes as Node has them. */
export const BYTES: BytesCodec = {
  fromBase64: (data) => Buffer.from(data, 'base64'),
  toBase64: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  fromText: (text) => Buffer.from(text),
  toText: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(),
  sha256: (bytes) => hash('sha256', bytes),
};

/**
 * Content that may stand in an event: its large data is on the log, as blobs.
 * @param path what it is called, in errors
 * @throws DreamfoldError payload_too_large, and those of the log
 */
export async function storeContent(blobs: Pick<Blobs, 'put'>, content: Content, path: string): Promise<Content> {
  const small = takeOutData(content, BYTES, path);
  for (const bytes of small.blobs) await blobs.put(bytes);
  return small.content;
}

/**
 * What a user gives, as content that may stand in an event. Words are left as they are.
 * @throws DreamfoldError invalid_argument, payload_too_large
 */
export async function storeGiven(
  blobs: Pick<Blobs, 'put'>,
  given: string | readonly GivenBlock[],
  path: string,
): Promise<string | Content> {
  return typeof given === 'string' ? given : storeContent(blobs, givenContent(given, path), path);
}

/**
 * The request with the data of its blobs put back in: what a model is sent.
 * @throws DreamfoldError not_found for a blob that is not kept
 */
export async function withBlobs(kept: Pick<Blobs, 'get'>, request: ModelRequest): Promise<ModelRequest> {
  const blobs = new Map<string, Uint8Array>();
  for (const { content } of request.messages) {
    for (const sha256 of blobsIn(content.flatMap(contentOf))) {
      if (blobs.has(sha256)) continue;
      const bytes = await kept.get(sha256);
      if (bytes === null) throw missing(sha256);
      blobs.set(sha256, bytes);
    }
  }
  if (blobs.size === 0) return request;
  const whole = <T extends ContentBlock>(block: T): T => putBackData(block, BYTES, (sha256) => blobs.get(sha256)!);
  const messages = request.messages.map((message) => {
    if (blobsIn(message.content.flatMap(contentOf)).length === 0) return message;
    return { ...message, content: message.content.map((block) => wholeBlock(block, whole)) };
  });
  return { ...request, messages };
}

function contentOf(block: RequestBlock): readonly ContentBlock[] {
  if (block.type === 'tool_result') return block.blocks ?? [];
  return block.type === 'memory' || block.type === 'tool_use' ? [] : [block];
}

function wholeBlock(block: RequestBlock, whole: (block: ContentBlock) => ContentBlock): RequestBlock {
  if (block.type === 'memory' || block.type === 'tool_use') return block;
  if (block.type !== 'tool_result') return whole(block);
  return block.blocks === undefined ? block : { ...block, blocks: block.blocks.map(whole) };
}

function missing(sha256: string): DreamfoldError {
  return new DreamfoldError('not_found', `The log does not hold the data of a block: the blob ${sha256}`, {
    path: `blob/${sha256}`,
    value: sha256,
    remedy: 'If it was erased, start a new session. Otherwise restore the log from a copy: run `dreamfold verify`.',
  });
}
