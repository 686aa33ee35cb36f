import { inspect } from 'node:util';
import { DreamfoldError, isDreamfoldError, MAX_EVENT_BYTES, type ModelUsage } from '@dreamfold/events';
import {
  attemptFailed,
  COMPACTION_PROMPT,
  modelAnswered,
  renderRequest,
  threadOf,
  type Answer,
  type DecideContext,
  type ModelRequest,
  type PromptFrame,
  type SessionState,
  type Work,
} from '@dreamfold/core';
import { isRetryable, retryAfterMs, retryDelayMs, type Model, type ModelPrice, type ModelResponse } from '@dreamfold/model';
import type { Completion } from './completion.ts';

/** Attempts at one model request, the first included. */
const MAX_ATTEMPTS = 5;

export type ModelWork = Extract<Work, { kind: 'model' }>;

/** What an answer takes at most, all its blocks together: each of them becomes an event. */
const MAX_ANSWER_BYTES = MAX_EVENT_BYTES - 8 * 1024;
/** What a failed attempt says at most. */
const MAX_MESSAGE_CHARS = 4000;

export interface ModelPerformance {
  /** Finds the model; that there is none fails this thread alone. */
  model: () => Model;
  frame: PromptFrame;
  memory: string;
  context: DecideContext;
  signal: AbortSignal;
  random: () => number;
  onDelta: (text: string) => void;
}

/** The request of a thread, as it stands on the log. */
export function requestOf(state: SessionState, work: ModelWork, { frame, memory }: { frame: PromptFrame; memory: string }): ModelRequest {
  const thread = threadOf(state, work.threadId);
  if (thread === undefined) throw new TypeError(`no thread ${work.threadId}`);
  const request = renderRequest(frame, thread.messages, memory);
  if (work.purpose === 'turn') return request;
  return { ...request, tools: [], messages: [...request.messages, { role: 'user', content: [{ type: 'text', text: COMPACTION_PROMPT }] }] };
}

/** Asks the model once. The answer, or why there is none, becomes events; null when the work was called off. */
export async function performModel(state: SessionState, work: ModelWork, p: ModelPerformance): Promise<Completion | null> {
  const { threadId, startId, attempt } = work;
  const request = requestOf(state, work, p);
  try {
    if (work.delayMs > 0) await pause(work.delayMs, p.signal);
    const model = p.model();
    const response = await model.respond(request, { signal: p.signal, onDelta: p.onDelta });
    checkSize(response);
    const answer = answerOf(response, model.price);
    return {
      cause: `answer/${startId}`,
      build: (now, appendId) => modelAnswered(now, { threadId, startId, answer, appendId }, p.context),
    };
  } catch (error) {
    if (p.signal.aborted) return null;
    const { code, message } = faultOf(error);
    const again = isRetryable(error) && attempt < MAX_ATTEMPTS;
    const delayMs = again ? retryDelayMs(attempt, { random: p.random(), retryAfterMs: retryAfterMs(error) }) : null;
    const failure = { threadId, startId, attempt, code, message: message.slice(0, MAX_MESSAGE_CHARS), retryAfterMs: delayMs };
    return { cause: `attempt/${startId}/${attempt}`, build: (now) => attemptFailed(now, failure) };
  }
}

/** A model of the caller's own may throw anything. Its thread stops with it, and no other. */
function faultOf(error: unknown): { code: string; message: string } {
  if (isDreamfoldError(error)) return error;
  return {
    code: 'model_request_failed',
    message: `The model failed: ${error instanceof Error ? error.message : inspect(error, { depth: 2 })}`,
  };
}

function checkSize(response: ModelResponse): void {
  const size = Buffer.byteLength(JSON.stringify(response.content));
  if (size <= MAX_ANSWER_BYTES) return;
  throw new DreamfoldError('payload_too_large', `The answer is ${size} bytes long; the limit is ${MAX_ANSWER_BYTES}`, {
    path: 'answer',
    value: size,
    remedy: 'Give the agent a smaller maxTokens, or have it write large results through a tool in parts.',
  });
}

function answerOf(response: ModelResponse, price: ModelPrice | undefined): Answer {
  const { content, stopReason, usage, refusal } = response;
  return { content, stopReason, usage, ...(refusal === undefined ? {} : { refusal }), costUsd: costOf(usage, price) };
}

/** What an answer cost in US dollars, null when its model has no price. */
export function costOf(usage: ModelUsage, price: ModelPrice | undefined): number | null {
  if (price === undefined) return null;
  const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens } = usage;
  const perMillion =
    input_tokens * price.input +
    output_tokens * price.output +
    cache_read_input_tokens * price.cacheRead +
    cache_creation_input_tokens * price.cacheWrite;
  return perMillion / 1e6;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}
