import { blobsIn, ContentBlock, isPlainText } from '@dreamfold/events';
import type { MessageContent } from '../transcript-message.ts';

type RecordedBlock = Exclude<MessageContent, string>[number];

/** What has a turn of its own, or none. */
const OTHERWISE_READ: ReadonlySet<string> = new Set(['tool_use', 'tool_result', 'refusal']);
/** What the Messages API, the Chat API and the Responses API call text. */
export const TEXT_BLOCKS: ReadonlySet<string> = new Set(['text', 'input_text', 'output_text']);
const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+);base64,([A-Za-z0-9+/]+={0,2})$/;

/**
 * The blocks of a recorded message, when it holds more than text. What is not known here is kept as it was recorded.
 * @returns undefined for text alone
 */
export function recordedBlocks(content: MessageContent | null | undefined): ContentBlock[] | undefined {
  if (content == null || typeof content === 'string') return undefined;
  const blocks = content.filter(({ type }) => !OTHERWISE_READ.has(type)).map(contentBlock);
  return isPlainText(blocks) ? undefined : blocks;
}

function contentBlock(block: RecordedBlock): ContentBlock {
  if (TEXT_BLOCKS.has(block.type)) {
    const { text, citations } = block;
    return textBlock(text, citations) ?? { type: 'text', text: String(text) };
  }
  const as = chatImage(block) ?? (block.type === 'thinking' ? { signature: '', ...block } : block);
  const isKnown = block.type !== 'unknown' && ContentBlock.safeParse(as).success;
  // A blob is named by the log that holds it, and by nobody else.
  if (isKnown && blobsIn([as as ContentBlock]).length === 0) return as as ContentBlock;
  return { type: 'unknown', block_type: block.type, block };
}

function textBlock(text: unknown, citations: unknown): ContentBlock | null {
  const read = ContentBlock.safeParse({ type: 'text', text, ...(Array.isArray(citations) && citations.length > 0 ? { citations } : {}) });
  return read.success ? read.data : null;
}

/** The image of the Chat API ({image_url: {url}}) and of the Responses API ({image_url}), as the Messages API has it. */
function chatImage({ type, image_url }: RecordedBlock): object | null {
  if (type !== 'image_url' && type !== 'input_image') return null;
  const url = typeof image_url === 'string' ? image_url : (image_url as { url?: unknown } | null | undefined)?.url;
  if (typeof url !== 'string') return null;
  const [, media_type, data] = DATA_URL.exec(url) ?? [];
  return { type: 'image', source: data === undefined ? { type: 'url', url } : { type: 'base64', media_type, data } };
}
