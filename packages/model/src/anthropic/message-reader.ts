import { JSON_LIMITS, type ModelUsage, checkJson } from '@dreamfold/events';
import { ModelError } from '../model-error.ts';
import type { ModelResponse, ResponseBlock } from '../port.ts';
import { STREAM_EVENT_TYPES, StreamEvent } from './stream-event.ts';

type Streamed<T extends StreamEvent['type']> = Extract<StreamEvent, { type: T }>;
type OpenBlock =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string; begunWith: unknown; json: string }
  | { type: 'thinking' };

/**
 * Puts the events of one streamed message together. Written here, and not left to the SDK, because a message counts only when it
 * is whole: a stream that merely ends is an error, as is anything that the port cannot say.
 */
export class MessageReader {
  readonly #onDelta: ((text: string) => void) | undefined;
  readonly #blocks = new Map<number, OpenBlock>();
  #usage: ModelUsage = { input_tokens: 0, output_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  #stop: Streamed<'message_delta'>['delta'] = {};
  #whole = false;

  constructor(onDelta: ((text: string) => void) | undefined) {
    this.#onDelta = onDelta;
  }

  /** @throws ModelError model_protocol_error for an event that is broken or out of order */
  add(raw: { type?: unknown } | null): void {
    if (typeof raw?.type === 'string' && !STREAM_EVENT_TYPES.has(raw.type)) return;
    const parsed = StreamEvent.safeParse(raw);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      throw protocolError(`The server sent a broken ${String(raw?.type)} event: ${issue.path.join('.')}: ${issue.message}`);
    }
    const event = parsed.data;
    switch (event.type) {
      case 'message_start':
        this.#addUsage(event.message.usage);
        break;
      case 'content_block_start':
        this.#begin(event);
        break;
      case 'content_block_delta':
        this.#continue(event);
        break;
      case 'content_block_stop':
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
    if (block.type === 'text') this.#blocks.set(index, { type: 'text', text: block.text });
    else if (block.type === 'tool_use')
      this.#blocks.set(index, { type: 'tool_use', id: block.id, name: block.name, begunWith: block.input, json: '' });
    else this.#blocks.set(index, { type: 'thinking' });
  }

  #continue({ index, delta }: Streamed<'content_block_delta'>): void {
    const block = this.#blocks.get(index);
    if (block === undefined) throw protocolError(`The stream continues block ${index}, which it did not begin`);
    if (delta.type === 'text_delta' && block.type === 'text') {
      block.text += delta.text;
      this.#onDelta?.(delta.text);
    } else if (delta.type === 'input_json_delta' && block.type === 'tool_use') {
      block.json += delta.partial_json;
    } else if (block.type !== 'thinking' && delta.type !== 'citations_delta') {
      throw protocolError(`The stream continues a ${block.type} block with a ${delta.type}`);
    }
  }

  /** The last values count: those of message_delta are totals. */
  #addUsage(usage: Streamed<'message_delta'>['usage']): void {
    for (const key of Object.keys(this.#usage) as (keyof ModelUsage)[]) this.#usage[key] = usage?.[key] ?? this.#usage[key];
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

/** A tool may have a field of any name. */
const INPUT_LIMITS = { ...JSON_LIMITS, anyKey: true };

/** The input of a call, from its JSON or as it came; undefined when it is not an object that we can keep. */
function parseInput(streamed: unknown): unknown {
  try {
    const input: unknown = typeof streamed === 'string' ? JSON.parse(streamed) : (streamed ?? {});
    checkJson(input, 'input', INPUT_LIMITS);
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
  // Cut short as by max_tokens, only by the other limit.
  ['model_context_window_exceeded', 'max_tokens'],
]);

function stopReasonOf(reason: string | null | undefined): ModelResponse['stopReason'] {
  const known = STOP_REASONS.get(reason);
  if (known === undefined) throw protocolError(`The model stopped for a reason that nobody asked for: ${reason ?? 'none'}`);
  return known;
}

export function protocolError(message: string): ModelError {
  return new ModelError('model_protocol_error', message, { remedy: 'Try again; if it keeps happening, look at what the server sends.' });
}
