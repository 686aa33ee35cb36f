import { ContentBlock, DreamfoldError, kindOf, text, type Content } from '@dreamfold/events';
import { isPlainJson } from '../plain-json.ts';

/** A block as a user or a tool gives it: text, an image, a document or a search result as the Messages API has them, or another of the model's own kind. */
export type GivenBlock =
  | Extract<ContentBlock, { type: 'text' | 'image' | 'document' | 'search_result' }>
  | { type: string; [field: string]: unknown };

const OPEN_TO_ALL: ReadonlySet<string> = new Set(['text', 'image', 'document', 'search_result']);

/** What only a model says, or only the runtime. Nobody poses as either. */
const RESERVED: ReadonlySet<string> = new Set([
  'memory',
  'tool_use',
  'tool_result',
  'unknown',
  ...ContentBlock.options.flatMap(({ shape }) => ('value' in shape.type ? [shape.type.value] : shape.type.options)),
]);

const REMEDY = 'Give text, or a list of blocks: {type: "text", text}, {type: "image", source}, {type: "document", source, title}.';

/**
 * What a user or a tool gives, as content.
 * @param path what it is called, in errors: `message`, `task`
 * @throws DreamfoldError invalid_argument, with the path of the block and field
 */
export function givenContent(given: unknown, path: string): Content {
  if (typeof given === 'string' ? given.trim() === '' : Array.isArray(given) && given.every(isBlank)) throw wrong(path, given, 'is empty');
  if (typeof given === 'string') return text(given);
  if (!Array.isArray(given)) throw wrong(path, given, `is ${kindOf(given)}`);
  return given.map((block: unknown, i) => givenBlock(block, `${path}/${i}`));
}

function isBlank(block: unknown): boolean {
  const { type, text: words } = (block ?? {}) as { type?: unknown; text?: unknown };
  return type === 'text' && typeof words === 'string' && words.trim() === '';
}

function givenBlock(block: unknown, path: string): ContentBlock {
  const type: unknown = (block as { type?: unknown } | null | undefined)?.type;
  if (typeof type !== 'string' || !isPlainJson(block)) throw wrong(path, block, 'is no block: plain JSON with a type');
  if (!OPEN_TO_ALL.has(type)) {
    if (RESERVED.has(type)) throw wrong(path, type, `is a block of type ${type}, which nobody can give`);
    return { type: 'unknown', block_type: type, block: block as Record<string, unknown> };
  }
  const checked = ContentBlock.safeParse(block);
  if (!checked.success) {
    const issue = checked.error.issues[0]!;
    throw wrong([path, ...issue.path.map(String)].join('/'), undefined, issue.message);
  }
  if ('df_blob' in checked.data) throw wrong(`${path}/df_blob`, undefined, 'names a blob: give the text itself');
  if ('source' in checked.data) checkSource(checked.data.source, `${path}/source`);
  return block as ContentBlock;
}

/** A blob is named by the log alone: whoever names one would read what another session was given. */
function checkSource(source: unknown, path: string): void {
  const { type, data, content } = source as { type?: unknown; data?: unknown; content?: unknown };
  if (type === 'blob') throw wrong(path, undefined, 'names a blob: give the data itself');
  if (type === 'base64' && !isBase64(data as string)) throw wrong(`${path}/data`, undefined, 'is not base64');
  if (type !== 'content' || !Array.isArray(content)) return;
  for (const [i, inner] of (content as { type: string }[]).entries()) {
    if (inner.type !== 'text' && inner.type !== 'image') throw wrong(`${path}/content/${i}`, inner.type, 'is neither text nor an image');
    givenBlock(inner, `${path}/content/${i}`);
  }
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function isBase64(data: string): boolean {
  return data !== '' && data.length % 4 === 0 && BASE64.test(data);
}

function wrong(path: string, value: unknown, what: string): DreamfoldError {
  const subject = path.includes('/') ? path : `The ${path}`;
  return new DreamfoldError('invalid_argument', `${subject} ${what}`, {
    path,
    ...(typeof value === 'string' ? { value } : {}),
    remedy: path.includes('/') ? REMEDY : `Say what is to be done. ${REMEDY}`,
  });
}
