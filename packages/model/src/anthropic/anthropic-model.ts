import type Anthropic from '@anthropic-ai/sdk';
import { BLOCK_KINDS, checked, DreamfoldError, optionsOf } from '@dreamfold/events';
import { z } from 'zod';
import type { Model, ModelCall, ModelPrice, ModelResponse } from '../port.ts';
import { createParams, isThinking, type Thinking } from './create-params.ts';
import { errorFrom, timedOut } from './error-mapping.ts';
import { guardedFetch } from './guarded-fetch.ts';
import { MessageReader } from './message-reader.ts';

const DEFAULT_TIMEOUT_MS = 600_000;
/** The longest that a timer takes; a longer one would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export interface AnthropicOptions {
  /** Left out, the environment variable ANTHROPIC_API_KEY. */
  apiKey?: string;
  /** Any server that speaks the Messages API. Left out, the environment variable ANTHROPIC_BASE_URL, or Anthropic's own. */
  baseURL?: string;
  /** How long one attempt may take, from sending to the last byte. Default 10 minutes. */
  timeoutMs?: number;
  /** What the caller pays per token. Left out, no cost is reckoned. */
  price?: ModelPrice;
  /** Marks tools, system prompt and conversation for prompt caching. Default true. */
  cache?: boolean;
  /**
   * Whether the model thinks before it answers: as much as it likes, not at all, or with a budget, on models that take one. Left out, as the
   * service does by default for the model. What is thought counts to `maxTokens` of the agent, and is paid for.
   */
  thinking?: Thinking;
}

const Rate = z.number().min(0);
const Options = optionsOf<AnthropicOptions>({
  // What is wrong with a key is said without it.
  apiKey: z.custom<string>((key) => typeof key === 'string', 'expected a text').optional(),
  baseURL: z.url({ protocol: /^https?$/, error: 'expected the address of a server, such as https://api.anthropic.com' }).optional(),
  timeoutMs: z.number().positive().optional(),
  price: optionsOf<ModelPrice>({ input: Rate, output: Rate, cacheRead: Rate, cacheWrite: Rate }).optional(),
  cache: z.boolean().optional(),
  thinking: z.custom<Thinking>(isThinking, 'expected "adaptive", "disabled" or { budgetTokens: a whole number from 1024 on }').optional(),
});

/**
 * Claude, or any server that speaks the Messages API, through `@anthropic-ai/sdk`, which is loaded at the first request.
 * One `respond` is one HTTP request: the SDK's own retries are off.
 * @throws DreamfoldError invalid_argument for an option that is unknown or wrong, config_invalid when no API key is given or set
 */
export function anthropic(given: AnthropicOptions = {}): Model {
  const options = checked(Options, given, { what: 'anthropic()' });
  const apiKey = options.apiKey ?? process.env['ANTHROPIC_API_KEY'];
  if (!apiKey) {
    throw new DreamfoldError('config_invalid', 'There is no API key for Claude', {
      path: 'ANTHROPIC_API_KEY',
      remedy: 'Set the environment variable ANTHROPIC_API_KEY, pass apiKey, or use the model "scripted", which needs none.',
    });
  }
  const timeoutMs = Math.min(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS);
  const cache = options.cache ?? true;
  let client: Promise<Anthropic> | undefined;
  return {
    ...(options.price && { price: options.price }),
    takes: BLOCK_KINDS,
    async respond(request, call) {
      call.signal.throwIfAborted();
      const params = createParams(request, { cache, ...(options.thinking === undefined ? {} : { thinking: options.thinking }) });
      client ??= connect(apiKey, options.baseURL);
      return attempt({ client: await client, params, call, timeoutMs, apiKey });
    },
  };
}

async function connect(apiKey: string, baseURL: string | undefined): Promise<Anthropic> {
  const { default: Client } = await import('@anthropic-ai/sdk');
  return new Client({
    apiKey,
    authToken: null,
    ...(baseURL === undefined ? {} : { baseURL }),
    maxRetries: 0,
    fetch: guardedFetch,
    // The SDK's timeout ends when the headers have come; a stream that falls silent later needs ours, and one is enough.
    timeout: MAX_TIMEOUT_MS,
    // The SDK logs a broken stream, with its bytes, to the console; we report it as an error.
    logLevel: 'off',
  });
}

interface Attempt {
  client: Anthropic;
  params: ReturnType<typeof createParams>;
  call: ModelCall;
  timeoutMs: number;
  apiKey: string;
}

async function attempt({ client, params, call, timeoutMs, apiKey }: Attempt): Promise<ModelResponse> {
  const late = AbortSignal.timeout(timeoutMs);
  const reader = new MessageReader(call);
  try {
    call.signal.throwIfAborted();
    const signal = AbortSignal.any([call.signal, late]);
    // The SDK ends the request when it is read no further.
    for await (const event of await client.messages.create(params, { signal })) reader.add(event);
    // It also ends an aborted stream as if it were complete; the reader knows better, and the abort is told below.
    return reader.response();
  } catch (error) {
    call.signal.throwIfAborted();
    throw late.aborted ? timedOut(timeoutMs) : errorFrom(error, apiKey);
  }
}
