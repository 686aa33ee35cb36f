import { DreamfoldError, MAX_EVENT_BYTES, type ModelUsage } from '@dreamfold/events';
import {
  attemptFailed,
  COMPACTION_PROMPT,
  modelAnswered,
  renderRequest,
  threadOf,
  type Answer,
  type DecideContext,
  type MemoryBlock,
  type ModelRequest,
  type PromptFrame,
  type SessionState,
  type Work,
} from '@dreamfold/core';
import { isRetryable, retryAfterMs, retryDelayMs, type Model, type ModelPrice, type ModelResponse } from '@dreamfold/model';
import { askModel, MODEL_LIMIT_MS } from './ask-model.ts';
import type { Completion } from './completion.ts';
import { faultOf } from './thrown.ts';

/** Attempts at one model request, the first included. */
const MAX_ATTEMPTS = 5;

export type ModelWork = Extract<Work, { kind: 'model' }>;

/** What an answer takes at most, all its blocks together: each of them becomes an event. */
const MAX_ANSWER_BYTES = MAX_EVENT_BYTES - 8 * 1024;

export interface ModelPerformance {
  /** Finds the model; that there is none fails this thread alone. */
  model: () => Model;
  frame: PromptFrame;
  memory: MemoryBlock | null;
  context: DecideContext;
  signal: AbortSignal;
  now: () => number;
  random: () => number;
  onDelta: (text: string) => void;
}

/** The request of a thread, as it stands on the log. */
export function requestOf(
  state: SessionState,
  work: ModelWork,
  { frame, memory }: Pick<ModelPerformance, 'frame' | 'memory'>,
): ModelRequest {
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
  const tooLate = outOfTime(state);
  try {
    if (work.delayMs > 0) await pause(work.delayMs, p.signal);
    const model = p.model();
    const remainingMs = wallTimeLeftMs(state, p.now());
    const response = await askModel(model, {
      request,
      call: { signal: p.signal, onDelta: p.onDelta },
      ...(remainingMs < MODEL_LIMIT_MS ? { limit: { ms: Math.max(1, remainingMs), error: () => tooLate } } : {}),
    });
    checkSize(response);
    const answer = answerOf(response, model.price);
    return {
      cause: `answer/${startId}`,
      build: (now, appendId) => modelAnswered(now, { threadId, startId, answer, appendId }, p.context),
    };
  } catch (error) {
    if (p.signal.aborted) return null;
    const { code, message } = faultOf(error);
    const again = code !== null && isRetryable(error) && attempt < MAX_ATTEMPTS;
    const delayMs = again ? retryDelayMs(attempt, { random: p.random(), retryAfterMs: retryAfterMs(error) }) : null;
    // A model of the caller's own may throw anything. Its thread stops with it, and no other.
    const named = code === null ? { code: 'model_request_failed', message: `The model failed: ${message}` } : { code, message };
    const failure = {
      threadId,
      startId,
      attempt,
      ...named,
      retryAfterMs: delayMs,
      ...(error === tooLate ? { cap: timeCap(state, p.now()) } : {}),
    };
    return { cause: `attempt/${startId}/${attempt}`, build: (now) => attemptFailed(now, failure) };
  }
}

/** What is left of the session's time. A cap is checked before a call; this is how long the call itself may take. */
function wallTimeLeftMs({ caps, activeMs, runningSince }: SessionState, now: number): number {
  return caps.wall_time_ms - activeMs - (runningSince === null ? 0 : Math.max(0, now - runningSince));
}

function timeCap(state: SessionState, now: number): { cap: 'wall_time_ms'; limit: number; value: number } {
  const limit = state.caps.wall_time_ms;
  return { cap: 'wall_time_ms', limit, value: Math.max(limit, limit - wallTimeLeftMs(state, now)) };
}

function outOfTime({ caps }: SessionState): DreamfoldError {
  return new DreamfoldError(
    'budget_exceeded',
    `The session reached its cap wall_time_ms = ${caps.wall_time_ms} while the model was asked`,
    {
      path: 'caps/wall_time_ms',
      value: caps.wall_time_ms,
      remedy: 'Start a new session, with a higher cap if need be.',
    },
  );
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

/** What an answer cost in US dollars, null when its model has no price, or none that can be reckoned with. */
export function costOf(usage: ModelUsage, price: ModelPrice | undefined): number | null {
  if (price === undefined) return null;
  const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens } = usage;
  const perMillion =
    input_tokens * price.input +
    output_tokens * price.output +
    cache_read_input_tokens * price.cacheRead +
    cache_creation_input_tokens * price.cacheWrite;
  return Number.isFinite(perMillion) ? perMillion / 1e6 : null;
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
