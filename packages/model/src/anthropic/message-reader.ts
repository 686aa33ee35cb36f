import { DATA_LIMITS, type ModelUsage, checkJson } from '@dreamfold/events';
import { answerTooLarge, MAX_ANSWER_BYTES } from '../check-response.ts';
import { ModelError } from '../model-error.ts';
import type { ModelCall, ModelResponse, ResponseBlock } from '../port.ts';
import { BLOCK_TYPES, DELTA_TYPES, STREAM_EVENT_TYPES, StreamEvent, type ContentBlock } from './stream-event.ts';
import { unsupportedPart, unsupportedStop } from './unsupported-answer.ts';

type Streamed<T extends StreamEvent['type']> = Extract<StreamEvent, { type: T }>;
type StreamedBlock =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string; begunWith: unknown; json: string }
  | { type: 'thinking' };
/** What came over the wire: anything. */
type RawEvent = { type?: unknown; content_block?: unknown; delta?: unknown } | null;

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
    const event = parsed.data;
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
    if (stopReason === 'end_turn' && content.length === 0) throw protocolError('The model ended its turn without saying anything');
    // Some servers say end_turn beside a call; a call that got no result would break the conversation.
    return { content, stopReason: stopReason === 'end_turn' && calls ? 'tool_use' : stopReason, usage };
  }

  #begin({ index, content_block: block }: Streamed<'content_block_start'>): void {
    if (this.#blocks.has(index)) throw protocolError(`The stream begins block ${index} twice`);
    this.#blocks.set(index, begunBlock(block));
    this.#grow(JSON.stringify(block));
    if (block.type === 'text' && block.text !== '') this.#call.onDelta?.(block.text);
  }

  #continue({ index, delta }: Streamed<'content_block_delta'>): void {
    const block = this.#openBlock(index, 'continues');
    if (delta.type === 'text_delta' && block.type === 'text') {
      this.#grow(delta.text);
      block.text += delta.text;
      this.#call.onDelta?.(delta.text);
    } else if (delta.type === 'input_json_delta' && block.type === 'tool_use') {
      this.#grow(delta.partial_json);
      block.json += delta.partial_json;
    } else if (block.type !== 'thinking' && delta.type !== 'citations_delta') {
      throw protocolError(`The stream continues a ${block.type} block with a ${delta.type}`);
    }
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
    for (const block of this.#blocks.values()) {
      if (block.type === 'text' && block.text !== '') content.push({ type: 'text', text: block.text });
      if (block.type !== 'tool_use') continue;
      if (ids.has(block.id)) throw protocolError(`The model made two calls with the id ${block.id}`);
      ids.add(block.id);
      const input = parseInput(block.json === '' ? block.begunWith : block.json);
      // The token limit falls where it falls: a call that it cut cannot be made, and the stop reason says why.
      if (input === undefined && cutShort) continue;
      if (input === undefined) throw protocolError(`The input of the call of ${block.name} is not a JSON object`);
      content.push({ type: 'tool_use', id: block.id, name: block.name, input });
    }
    return content;
  }
}

function begunBlock(block: ContentBlock): StreamedBlock {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text };
    case 'tool_use':
      return { type: 'tool_use', id: block.id, name: block.name, begunWith: block.input, json: '' };
    case 'thinking':
    case 'redacted_thinking':
      return { type: 'thinking' };
  }
}

/** A service may add kinds of events, which are passed over; what it adds to an answer can't be. */
function checkKnown(raw: RawEvent): void {
  const block = raw?.type === 'content_block_start' ? typeOf(raw.content_block) : null;
  if (block !== null && !BLOCK_TYPES.has(block)) throw unsupportedPart('block', block);
  const delta = raw?.type === 'content_block_delta' ? typeOf(raw.delta) : null;
  if (delta !== null && !DELTA_TYPES.has(delta)) throw unsupportedPart('delta', delta);
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
