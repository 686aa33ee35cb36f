import { z } from 'zod';

// The blocks are those of the Messages API. Fields that a schema does not name are kept: a service gets its own blocks back unchanged.

/** A payload that is too large for an event, kept by its hash. */
export const BlobRef = z.object({ sha256: z.string(), size_bytes: z.int().nonnegative() });
export type BlobRef = z.infer<typeof BlobRef>;

export const TextBlock = z.object({
  type: z.literal('text'),
  text: z.string(),
  /** Where the text is taken from, as the model's service says it. */
  citations: z.array(z.looseObject({ type: z.string() })).nullish(),
  /** The whole text, when this one was cut for the model. */
  df_blob: BlobRef.optional(),
});
export type TextBlock = z.infer<typeof TextBlock>;

/** Where the data of an image or a document is. `blob` takes the place of `base64` and of `text` when the data is too large for an event. */
export const Source = z.discriminatedUnion('type', [
  z.object({ type: z.literal('base64'), media_type: z.string(), data: z.string() }),
  z.object({ type: z.literal('text'), media_type: z.string(), data: z.string() }),
  z
    .object({ type: z.literal('content'), content: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]) })
    .superRefine(({ content }, context) => {
      const at = typeof content === 'string' ? -1 : content.findIndex((inner) => !isSoundInside(inner));
      if (at >= 0) context.addIssue({ code: 'custom', message: 'is no block of its type', path: ['content', at], continue: false });
    }),
  z.object({ type: z.literal('url'), url: z.string() }),
  z.object({ type: z.literal('file'), file_id: z.string() }),
  BlobRef.extend({ type: z.literal('blob'), media_type: z.string(), df_of: z.enum(['base64', 'text']) }),
]);
export type Source = z.infer<typeof Source>;

/** What is looked into for data and blobs has to be what its type says; anything else stands there as it came. */
function isSoundInside(inner: { type: string }): boolean {
  return !['text', 'image', 'document', 'unknown'].includes(inner.type) || ContentBlock.safeParse(inner).success;
}

export const ImageBlock = z.looseObject({ type: z.literal('image'), source: Source });
export type ImageBlock = z.infer<typeof ImageBlock>;

export const DocumentBlock = z.looseObject({
  type: z.literal('document'),
  source: Source,
  title: z.string().nullish(),
  context: z.string().nullish(),
});
export type DocumentBlock = z.infer<typeof DocumentBlock>;

/** What a search of the caller's own has found, for a model to cite. */
export const SearchResultBlock = z.looseObject({
  type: z.literal('search_result'),
  title: z.string(),
  source: z.string(),
  content: z.array(z.looseObject({ type: z.literal('text'), text: z.string() })),
});

/** What a model thought before it spoke or called. It goes back to it unchanged: the service checks the signature. */
export const ThinkingBlock = z.looseObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() });

/** What a model thought, in a form that only its service can read. It goes back unchanged, too. */
export const RedactedThinkingBlock = z.looseObject({ type: z.literal('redacted_thinking'), data: z.string() });

/** A call of a tool that the model's service runs by itself, or that an MCP server runs for it. */
export const ServerToolUseBlock = z.looseObject({
  type: z.enum(['server_tool_use', 'mcp_tool_use']),
  id: z.string(),
  name: z.string(),
  input: z.unknown(),
});

/** What a tool that the service runs gave, in the form of that tool. */
export const ServerToolResultBlock = z.looseObject({
  type: z.enum([
    'web_search_tool_result',
    'web_fetch_tool_result',
    'code_execution_tool_result',
    'bash_code_execution_tool_result',
    'text_editor_code_execution_tool_result',
    'tool_search_tool_result',
    'mcp_tool_result',
  ]),
  tool_use_id: z.string(),
  content: z.unknown(),
});

/** A block of a type that is not known here, as it came: audio, or what a service has added since. */
export const UnknownBlock = z.object({
  type: z.literal('unknown'),
  /** The type that it says it is of. */
  block_type: z.string(),
  /** Left out when it is kept in a blob. */
  block: z.record(z.string(), z.unknown()).optional(),
  /** The block as JSON, when it is too large for an event. */
  df_blob: BlobRef.optional(),
});
export type UnknownBlock = z.infer<typeof UnknownBlock>;

const THINKING_BLOCKS = [ThinkingBlock, RedactedThinkingBlock] as const;
export const AnyThinking = z.discriminatedUnion('type', THINKING_BLOCKS);
export type AnyThinking = z.infer<typeof AnyThinking>;

/** All blocks but text, for unions that have a text of their own. */
export const OTHER_BLOCKS = [
  ImageBlock,
  DocumentBlock,
  SearchResultBlock,
  ...THINKING_BLOCKS,
  ServerToolUseBlock,
  ServerToolResultBlock,
  UnknownBlock,
] as const;

export const ContentBlock = z.discriminatedUnion('type', [TextBlock, ...OTHER_BLOCKS]);
export type ContentBlock = z.infer<typeof ContentBlock>;

/** Content of messages and tool results. */
export const Content = z.array(ContentBlock);
export type Content = z.infer<typeof Content>;

/** Plain text as content. */
export function text(value: string): [TextBlock] {
  return [{ type: 'text', text: value }];
}

/** The text of content: of its text blocks alone, joined by newlines. A service cuts a text where a citation begins and ends; it is put together again. */
export function textOf(content: readonly ContentBlock[] | undefined): string {
  if (content === undefined) return '';
  if (content.length === 1 && content[0]!.type === 'text') return content[0]!.text;
  let whole = '';
  let before: TextBlock | null = null;
  for (const block of content) {
    if (block.type !== 'text') continue;
    whole += before === null || isCited(before) || isCited(block) ? block.text : `\n${block.text}`;
    before = block;
  }
  return whole;
}

/** Whether content is text that nothing is lost of when only its text is kept. */
export function isPlainText(content: readonly ContentBlock[]): content is TextBlock[] {
  return content.every((block) => block.type === 'text' && !isCited(block));
}

function isCited({ citations }: TextBlock): boolean {
  return citations != null && citations.length > 0;
}

/** What a model has to be able to read, to be given a block: see `takes` of a model. */
export const BLOCK_KINDS = ['text', 'image', 'document', 'search_result', 'thinking', 'server_tool', 'unknown'] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];

export function kindOfBlock({ type }: Pick<ContentBlock, 'type'>): BlockKind {
  switch (type) {
    case 'text':
    case 'image':
    case 'document':
    case 'search_result':
    case 'thinking':
    case 'unknown':
      return type;
    case 'redacted_thinking':
      return 'thinking';
    default:
      return 'server_tool';
  }
}

/** The blobs that content names, each as often as it is named. */
export function blobsIn(content: readonly ContentBlock[]): string[] {
  return content.flatMap((block) => {
    if (block.type === 'text' || block.type === 'unknown') return block.df_blob === undefined ? [] : [block.df_blob.sha256];
    if (block.type !== 'image' && block.type !== 'document') return [];
    const { source } = block;
    if (source.type === 'blob') return [source.sha256];
    return source.type === 'content' && Array.isArray(source.content) ? blobsIn(source.content as ContentBlock[]) : [];
  });
}

const HAVE_CONTENT: ReadonlySet<string> = new Set([
  'user.message',
  'agent.message',
  'agent.tool_result',
  'agent.thread_message_sent',
  'agent.thread_message_received',
]);

/** The blobs that a stored event names. Content of any version: `df_blob` stood beside it in the first one of a tool result. */
export function blobsNamedBy({ type, data }: { type: string; data: string | null }): string[] {
  if (!HAVE_CONTENT.has(type) || data === null || !/"(?:df_blob|blob)"/.test(data)) return [];
  try {
    const { content, df_blob } = JSON.parse(data) as { content?: unknown; df_blob?: { sha256: string } };
    const read = Content.safeParse(content);
    const named = [...(df_blob === undefined ? [] : [df_blob.sha256]), ...(read.success ? blobsIn(read.data) : [])];
    // What is no hash names nothing that could be missing.
    return named.filter((sha256) => /^[0-9a-f]{64}$/.test(sha256));
  } catch {
    // No JSON, or null: on a log that others write to it names nothing.
    return [];
  }
}
