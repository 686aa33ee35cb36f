import { memoryText, type ModelRequest, type RequestBlock, type RequestMessage, type ResponseBlock } from '../port.ts';

const CHARS_PER_TOKEN = 4;
/** What an image or a document counts for, whatever its size. */
const FILE_CHARS = 6000;

/** Characters up to and including a message, as it stood at this place of the conversation that begins with `first`. */
interface RunningTotal {
  first: RequestMessage;
  index: number;
  chars: number;
}

// Conversations only grow, and their messages are the same objects from one request to the next: each message is measured once.
const totals = new WeakMap<RequestMessage, RunningTotal>();
const toolChars = new WeakMap<ModelRequest['tools'], number>();

/** A deterministic estimate of a request's tokens: its characters divided by four. */
export function estimateInputTokens(request: ModelRequest): number {
  let tools = toolChars.get(request.tools);
  if (tools === undefined) toolChars.set(request.tools, (tools = request.tools.length === 0 ? 0 : JSON.stringify(request.tools).length));
  return Math.ceil((request.system.length + tools + messageChars(request.messages)) / CHARS_PER_TOKEN);
}

/** The same estimate for an answer, and for text that is thought but not said. */
export function estimateOutputTokens(content: readonly ResponseBlock[], thought: number): number {
  let chars = thought;
  for (const block of content) chars += blockChars(block);
  return Math.ceil(chars / CHARS_PER_TOKEN);
}

function messageChars(messages: readonly RequestMessage[]): number {
  const first = messages[0];
  if (first === undefined) return 0;
  let known = messages.length - 1;
  let chars = 0;
  for (; known >= 0; known -= 1) {
    const total = totals.get(messages[known]!);
    if (total === undefined || total.first !== first || total.index !== known) continue;
    chars = total.chars;
    break;
  }
  for (let index = known + 1; index < messages.length; index += 1) {
    for (const block of messages[index]!.content) chars += blockChars(block);
    totals.set(messages[index]!, { first, index, chars });
  }
  return chars;
}

function blockChars(block: RequestBlock | ResponseBlock): number {
  switch (block.type) {
    case 'memory':
      return memoryText(block).length;
    case 'text':
      return block.text.length;
    case 'tool_use':
      return block.name.length + JSON.stringify(block.input).length;
    case 'tool_result':
      return block.content.length + (block.blocks ?? []).reduce((sum, one) => sum + (one.type === 'text' ? 0 : blockChars(one)), 0);
    case 'image':
    case 'document':
      return FILE_CHARS;
    default:
      return JSON.stringify(block).length;
  }
}
