import { ContentBlock as KnownBlock, DATA_LIMITS, type ModelUsage, checkJson } from '@dreamfold/events';
import { answerTooLarge, MAX_ANSWER_BYTES } from '../check-response.ts';
import { ModelError } from '../model-error.ts';
import type { ModelCall, ModelResponse, ResponseBlock } from '../port.ts';
import { DELTA_TYPES, PIECED_BLOCKS, STREAM_EVENT_TYPES, StreamEvent, type ContentBlock, type PiecedBlock } from './stream-event.ts';
import { unsupportedDelta, unsupportedStop } from './unsupported-answer.ts';

type Streamed<T extends StreamEvent['type']> = Extract<StreamEvent, { type: T }>;
/** A block as far as it has come. `json` is the streamed input of a call. */
type StreamedBlock = { pieced: PiecedBlock; json: string } | { whole: ContentBlock };
/** What came over the wire: anything. */
type RawEvent = { type?: unknown; delta?: unknown } | null;

/**
 * Puts the events of one streamed message together. Written here, and not left to the SDK, because a message counts only when it
 * is whole: a stream that merely ends is an error, as is anything that the port cannot say.
 */
export class MessageReader {
  readonly #call: Pick<ModelCall, 'onDelta' | 'onUsage'>;
  readonly #blocks = new Map<number, StreamedBlock>();
  /** Blocks that nothing more is added to. */
  readonly #ended = new Set<number>();
  /** Of what has come, in bytes. */
  #size = 0;
  #begun = false;
  #usage: ModelUsage = { input_tokens: 0, output_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  #stop: Streamed<'message_delta'>['delta'] = {};
  #whole = false;

  /** @param call hears of text and usage as they come */
  constructor(call: Pick<ModelCall, 'onDelta' | 'onUsage'>) {
    this.#call = call;
  }

  /**
   * @throws ModelError model_protocol_error for an event that is broken or out of order; model_answer_unsupported for one that nobody
   * here can read; payload_too_large
   */
  add(raw: RawEvent): void {
    if (typeof raw?.type === 'string' && !STREAM_EVENT_TYPES.has(raw.type)) return;
    checkKnown(raw);
    const parsed = StreamEvent.safeParse(raw);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      throw protocolError(`The server sent a broken ${String(raw?.type)} event: ${issue.path.join('.')}: ${issue.message}`);
    }
    const event: StreamEvent = parsed.data;
    if (this.#whole) throw protocolError(`The server sent a ${event.type} event after the end of the message`);
    switch (event.type) {
      case 'message_start':
        if (this.#begun) throw protocolError('The stream begins the message twice');
        this.#begun = true;
        this.#addUsage(event.message.usage);
        break;
      case 'content_block_start':
        this.#begin(event);
        break;
      case 'content_block_delta':
        this.#continue(event);
        break;
      case 'content_block_stop':
        this.#openBlock(event.index, 'ends');
        this.#ended.add(event.index);
        break;
      case 'message_delta':
        this.#addUsage(event.usage);
        this.#stop = event.delta;
        break;
      case 'message_stop':
        this.#whole = true;
        break;
    }
  }

  /** @throws ModelError model_protocol_error when the message is cut short or makes no sense */
  response(): ModelResponse {
    if (!this.#whole) throw protocolError('The stream ended before the message did');
    const stopReason = stopReasonOf(this.#stop.stop_reason);
    const content = this.#content(stopReason === 'max_tokens');
    const usage = this.#usage;
    if (stopReason === 'refusal') {
      const { category, explanation } = this.#stop.stop_details ?? {};
      return { content, stopReason, usage, refusal: { category: category ?? null, explanation: explanation ?? null } };
    }
    const calls = content.some((block) => block.type === 'tool_use');
    if (stopReason === 'tool_use' && !calls) throw protocolError('The model stopped to call a tool, and called none');
    const said = content.some(({ type }) => type !== 'thinking' && type !== 'redacted_thinking');
    if (stopReason === 'end_turn' && !said) throw protocolError('The model ended its turn without saying anything');
    // Some servers say end_turn beside a call; a call that got no result would break the conversation.
    return { content, stopReason: stopReason === 'end_turn' && calls ? 'tool_use' : stopReason, usage };
  }

  #begin({ index, content_block: block }: Streamed<'content_block_start'>): void {
    if (this.#blocks.has(index)) throw protocolError(`The stream begins block ${index} twice`);
    const begun = begunBlock(block);
    this.#blocks.set(index, begun);
    this.#grow(JSON.stringify(block));
    if ('pieced' in begun && begun.pieced.type === 'text' && begun.pieced.text !== '') this.#call.onDelta?.(begun.pieced.text);
  }

  #continue({ index, delta }: Streamed<'content_block_delta'>): void {
    const streamed = this.#openBlock(index, 'continues');
    const block = 'pieced' in streamed ? streamed.pieced : streamed.whole;
    if (delta.type === 'text_delta' && isOf(block, 'text')) {
      this.#grow(delta.text);
      block.text += delta.text;
      this.#call.onDelta?.(delta.text);
    } else if (delta.type === 'citations_delta' && isOf(block, 'text')) {
      this.#grow(JSON.stringify(delta.citation));
      block.citations = [...(block.citations ?? []), delta.citation];
    } else if (delta.type === 'thinking_delta' && isOf(block, 'thinking')) {
      this.#grow(delta.thinking);
      block.thinking += delta.thinking;
    } else if (delta.type === 'signature_delta' && isOf(block, 'thinking')) {
      this.#grow(delta.signature);
      block.signature = delta.signature;
    } else if (delta.type === 'input_json_delta' && 'pieced' in streamed && 'input' in block) {
      this.#grow(delta.partial_json);
      streamed.json += delta.partial_json;
    } else throw protocolError(`The stream continues a ${block.type} block with a ${delta.type}`);
  }

  #openBlock(index: number, what: 'continues' | 'ends'): StreamedBlock {
    const block = this.#blocks.get(index);
    if (block === undefined) throw protocolError(`The stream ${what} block ${index}, which it did not begin`);
    if (this.#ended.has(index)) throw protocolError(`The stream ${what} block ${index} after its end`);
    return block;
  }

  /** What nobody could keep is not read to its end. */
  #grow(by: string): void {
    this.#size += Buffer.byteLength(by);
    if (this.#size > MAX_ANSWER_BYTES) throw answerTooLarge();
  }

  /** The last values count: those of message_delta are totals. */
  #addUsage(usage: Streamed<'message_delta'>['usage']): void {
    for (const key of Object.keys(this.#usage) as (keyof ModelUsage)[]) this.#usage[key] = usage?.[key] ?? this.#usage[key];
    this.#call.onUsage?.({ ...this.#usage });
  }

  #content(cutShort: boolean): ResponseBlock[] {
    const content: ResponseBlock[] = [];
    const ids = new Set<string>();
    for (const streamed of this.#blocks.values()) {
      if ('whole' in streamed) {
        content.push(wholeBlock(streamed.whole));
        continue;
      }
      const { pieced: block, json } = streamed;
      if (block.type === 'text') {
        const { type, text, citations } = block;
        if (text !== '') content.push({ type, text, ...(citations == null || citations.length === 0 ? {} : { citations }) });
        continue;
      }
      if (block.type === 'thinking') {
        content.push(block);
        continue;
      }
      if (ids.has(block.id)) throw protocolError(`The model made two calls with the id ${block.id}`);
      ids.add(block.id);
      const input = parseInput(json === '' ? block.input : json);
      // The token limit falls where it falls: a call that it cut cannot be made, and the stop reason says why.
      if (input === undefined && cutShort) continue;
      if (input === undefined) throw protocolError(`The input of the call of ${block.name} is not a JSON object`);
      content.push(block.type === 'tool_use' ? { type: block.type, id: block.id, name: block.name, input } : { ...block, input });
    }
    return content;
  }
}

function begunBlock(block: ContentBlock): StreamedBlock {
  if (!Object.hasOwn(PIECED_BLOCKS, block.type)) return { whole: block };
  const parsed = PIECED_BLOCKS[block.type as PiecedBlock['type']].safeParse(block);
  // The schema's copy has its fields in another order.
  if (parsed.success) return { pieced: { ...block, ...parsed.data }, json: '' };
  const issue = parsed.error.issues[0]!;
  throw protocolError(`The server began a broken ${block.type} block: ${issue.path.join('.')}: ${issue.message}`);
}

function isOf<T extends PiecedBlock['type']>(block: PiecedBlock | ContentBlock, type: T): block is Extract<PiecedBlock, { type: T }> {
  return block.type === type;
}

/** A block that is not known here, or not in this form, is kept as it came. */
function wholeBlock(block: ContentBlock): ResponseBlock {
  const isKnown = block.type !== 'unknown' && KnownBlock.safeParse(block).success;
  return isKnown ? (block as ResponseBlock) : { type: 'unknown', block_type: block.type, block };
}

/** A service may add kinds of events, which are passed over. A block that comes in pieces of an unknown kind can't be put together. */
function checkKnown(raw: RawEvent): void {
  const delta = raw?.type === 'content_block_delta' ? typeOf(raw.delta) : null;
  if (delta !== null && !DELTA_TYPES.has(delta)) throw unsupportedDelta(delta);
}

function typeOf(part: unknown): string | null {
  const type: unknown = (part as { type?: unknown } | null | undefined)?.type;
  return typeof type === 'string' ? type : null;
}

/** The input of a call, from its JSON or as it came; undefined when it is not an object that we can keep. */
function parseInput(streamed: unknown): unknown {
  try {
    const input: unknown = typeof streamed === 'string' ? JSON.parse(streamed) : (streamed ?? {});
    checkJson(input, 'input', DATA_LIMITS);
    return typeof input === 'object' && input !== null && !Array.isArray(input) ? input : undefined;
  } catch {
    return undefined;
  }
}

const STOP_REASONS: ReadonlyMap<unknown, ModelResponse['stopReason']> = new Map([
  ['end_turn', 'end_turn'],
  ['tool_use', 'tool_use'],
  ['max_tokens', 'max_tokens'],
  ['refusal', 'refusal'],
]);

function stopReasonOf(reason: string | null | undefined): ModelResponse['stopReason'] {
  if (reason === null || reason === undefined) throw protocolError('The model stopped, and the server does not say why');
  const known = STOP_REASONS.get(reason);
  if (known === undefined) throw unsupportedStop(reason);
  return known;
}

export function protocolError(message: string): ModelError {
  return new ModelError('model_protocol_error', message, { remedy: 'Try again; if it keeps happening, look at what the server sends.' });
}
