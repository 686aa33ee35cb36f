import { z } from 'zod';

export const TextBlock = z.object({ type: z.literal('text'), text: z.string() });
export type TextBlock = z.infer<typeof TextBlock>;

/** Content of messages and tool results. */
export const Content = z.array(TextBlock);
export type Content = z.infer<typeof Content>;

/** A payload that is too large for an event, kept by its hash. */
export const BlobRef = z.object({ sha256: z.string(), size_bytes: z.int().nonnegative() });
export type BlobRef = z.infer<typeof BlobRef>;

/** Plain text as content. */
export function text(value: string): Content {
  return [{ type: 'text', text: value }];
}

/** The text of content, its blocks joined by newlines. */
export function textOf(content: Content | undefined): string {
  if (content === undefined) return '';
  return content.length === 1 ? content[0]!.text : content.map((block) => block.text).join('\n');
}
