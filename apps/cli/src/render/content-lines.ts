import { textOf, type ContentBlock } from '@dreamfold/events';
import { oneLine } from './printable.ts';

const NAME_CHARS = 80;

/** Content for people: its text in a line, and a line for each other block. Data is never shown, only how much there is of it. */
export function contentLines(content: readonly ContentBlock[], maxChars: number): [text: string, ...blocks: string[]] {
  const blocks = content.filter(({ type }) => type !== 'text').map((block) => `  [${blockWords(block, maxChars)}]`);
  return [oneLine(textOf(content), maxChars), ...blocks];
}

function blockWords(block: ContentBlock, maxChars: number): string {
  switch (block.type) {
    case 'image':
    case 'document':
      return [block.type, ...sourceWords(block.source), ...titled(block['title'])].join(', ');
    case 'search_result':
      return ['search result', oneLine(block.source, NAME_CHARS), ...titled(block.title)].join(', ');
    case 'thinking':
      return `thinking: ${oneLine(block.thinking, maxChars)}`;
    case 'redacted_thinking':
      return 'thinking, redacted by the service';
    case 'server_tool_use':
    case 'mcp_tool_use':
      return `${block.type}: ${oneLine(`${block.name} ${JSON.stringify(block.input)}`, maxChars)}`;
    case 'unknown': {
      const bytes = block.df_blob?.size_bytes ?? Buffer.byteLength(JSON.stringify(block.block ?? null));
      return `${oneLine(block.block_type, NAME_CHARS)}, ${sizeWords(bytes)}`;
    }
    default:
      return `${block.type}, ${sizeWords(Buffer.byteLength(JSON.stringify(block)))}`;
  }
}

function titled(title: unknown): string[] {
  return typeof title === 'string' && title !== '' ? [`"${oneLine(title, NAME_CHARS)}"`] : [];
}

function sourceWords(source: Extract<ContentBlock, { type: 'image' }>['source']): string[] {
  switch (source.type) {
    case 'base64':
      return [oneLine(source.media_type, NAME_CHARS), sizeWords(Buffer.byteLength(source.data, 'base64'))];
    case 'text':
      return [oneLine(source.media_type, NAME_CHARS), sizeWords(Buffer.byteLength(source.data))];
    case 'blob':
      return [oneLine(source.media_type, NAME_CHARS), sizeWords(source.size_bytes)];
    case 'url':
      return [oneLine(source.url, NAME_CHARS)];
    case 'file':
      return [`file ${oneLine(source.file_id, NAME_CHARS)}`];
    case 'content':
      return [sizeWords(Buffer.byteLength(JSON.stringify(source.content)))];
  }
}

function sizeWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}
