import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ModelUsage } from '@dreamfold/events';

/** A block of a streamed answer. `json` is sent as it is, so that it may be broken; left out, the input is. */
export type ServedBlock = { text: string } | { tool: string; id?: string; input?: unknown; json?: string };

/** What the server does with one request. */
export type ServedReply =
  | string
  | {
      content: readonly ServedBlock[];
      /** Default: tool_use when there is a call, else end_turn. */
      stopReason?: string;
      stopDetails?: unknown;
      usage?: Partial<ModelUsage>;
      /** Waits before each event of the stream. */
      eventDelayMs?: number;
      /** Ends the stream before this event (counted from 0): `end` as if it were complete, `reset` by breaking the connection. */
      cut?: { before: number; how: 'end' | 'reset' };
    }
  | { status: number; type: string; message: string; headers?: Readonly<Record<string, string>> }
  /** Bytes that are sent as the event stream, whatever they are; of pieces, no more than the client reads. */
  | { raw: string | Iterable<string> }
  /** Headers never come. */
  | { silent: true };

/** A request body as the Messages API defines it; only what tests look at is typed. */
export interface ServedRequest {
  model: string;
  max_tokens: number;
  stream: boolean;
  system?: readonly { type: 'text'; text: string; cache_control?: unknown }[];
  messages: readonly { role: string; content: readonly Record<string, unknown>[] }[];
  tools?: readonly Record<string, unknown>[];
}

export interface MessagesServer {
  /** For the `baseURL` of the adapter, or of the SDK. */
  readonly url: string;
  /** Every request so far, in the order of arrival. */
  readonly requests: readonly ServedRequest[];
  /** Their headers. */
  readonly headers: readonly Readonly<Record<string, string | string[] | undefined>>[];
  close(): Promise<void>;
}

/**
 * A local HTTP server that speaks the Messages API (`POST /v1/messages`, server-sent events), for tests of what the official SDK
 * does with real bytes.
 * @param replies one after another (the last one repeats), or a function of the request and its number from 0
 */
export async function serveMessages(
  replies: readonly ServedReply[] | ((request: ServedRequest, n: number) => ServedReply | Promise<ServedReply>),
): Promise<MessagesServer> {
  const requests: ServedRequest[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const body = JSON.parse(await bodyOf(incoming)) as ServedRequest;
      headers.push(incoming.headers);
      const n = requests.push(body) - 1;
      const reply = typeof replies === 'function' ? await replies(body, n) : replies[Math.min(n, replies.length - 1)]!;
      await send(reply, body, outgoing);
    })().catch((error: unknown) => outgoing.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, headers, close: () => close(server) };
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function send(reply: ServedReply, request: ServedRequest, outgoing: ServerResponse): Promise<void> {
  if (typeof reply === 'string') return send({ content: [{ text: reply }] }, request, outgoing);
  if ('silent' in reply) return;
  if ('status' in reply) {
    outgoing.writeHead(reply.status, { 'content-type': 'application/json', 'request-id': 'req_test', ...reply.headers });
    outgoing.end(JSON.stringify({ type: 'error', error: { type: reply.type, message: reply.message } }));
    return;
  }
  outgoing.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_test' });
  if ('raw' in reply) {
    const pieces = typeof reply.raw === 'string' ? [reply.raw] : reply.raw;
    // The client may go away before the end.
    return pipeline(Readable.from(pieces, { objectMode: false }), outgoing).catch(() => {});
  }
  for (const [i, event] of eventsOf(reply, request).entries()) {
    if (i === reply.cut?.before) {
      // A reset right after a write may overtake it.
      if (reply.cut.how === 'reset') setTimeout(() => outgoing.destroy(), 20);
      else outgoing.end();
      return;
    }
    if (reply.eventDelayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, reply.eventDelayMs));
    outgoing.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  outgoing.end();
}

type StreamedReply = Extract<ServedReply, { content: unknown }>;

function eventsOf(reply: StreamedReply, request: ServedRequest): { type: string; [key: string]: unknown }[] {
  const usage = { input_tokens: 10, output_tokens: 5, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, ...reply.usage };
  const calls = reply.content.some((block) => 'tool' in block);
  const message = { id: 'msg_test', type: 'message', role: 'assistant', model: request.model, content: [], stop_reason: null };
  return [
    { type: 'message_start', message: { ...message, usage: { ...usage, output_tokens: 1 } } },
    { type: 'ping' },
    ...reply.content.flatMap(blockEvents),
    {
      type: 'message_delta',
      delta: { stop_reason: reply.stopReason ?? (calls ? 'tool_use' : 'end_turn'), stop_details: reply.stopDetails ?? null },
      usage: { output_tokens: usage.output_tokens },
    },
    { type: 'message_stop' },
  ];
}

/** A block arrives in two halves, as real ones arrive in pieces. */
function blockEvents(block: ServedBlock, index: number): { type: string; [key: string]: unknown }[] {
  const whole = 'text' in block ? block.text : (block.json ?? JSON.stringify(block.input ?? {}));
  const half = Math.ceil(whole.length / 2);
  const start =
    'text' in block ? { type: 'text', text: '' } : { type: 'tool_use', id: block.id ?? `toolu_${index}`, name: block.tool, input: {} };
  const delta = (piece: string): unknown =>
    'text' in block ? { type: 'text_delta', text: piece } : { type: 'input_json_delta', partial_json: piece };
  return [
    { type: 'content_block_start', index, content_block: start },
    { type: 'content_block_delta', index, delta: delta(whole.slice(0, half)) },
    { type: 'content_block_delta', index, delta: delta(whole.slice(half)) },
    { type: 'content_block_stop', index },
  ];
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
