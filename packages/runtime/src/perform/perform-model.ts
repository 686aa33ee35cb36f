import {
  attemptFailed,
  calledOff,
  COMPACTION_PROMPT,
  modelAnswered,
  renderRequest,
  threadOf,
  wallTimeCap,
  type Answer,
  type AttemptFailure,
  type DecideContext,
  type MemoryBlock,
  type ModelRequest,
  type PromptFrame,
  type SessionState,
  type Work,
} from '@dreamfold/core';
import {
  answerTooLarge,
  isRetryable,
  MAX_ANSWER_BYTES,
  retryAfterMs,
  retryDelayMs,
  type Model,
  type ModelPrice,
  type ModelResponse,
} from '@dreamfold/model';
import { costOf, ModelAttempt } from './ask-model.ts';
import type { Completion } from '../session/completion.ts';
import { isCalledOff, isOutOfTime } from '../time/time-limit.ts';
import { faultOf } from '../thrown.ts';
import type { Surroundings } from '../time/surroundings.ts';

/** Attempts at one model request, the first included. */
const MAX_ATTEMPTS = 5;

export type ModelWork = Extract<Work, { kind: 'model' }>;

export interface ModelPerformance extends Surroundings {
  /** Finds the model; that there is none fails this thread alone. */
  model: () => Model;
  /**
   * Makes the rendered request what the model is sent: the data of its blobs is put back in. Of text alone nothing is to be made.
   * @throws DreamfoldError content_unsupported when the model does not take a block of it; not_found for a blob
   */
  complete: (request: ModelRequest, model: Model) => ModelRequest | Promise<ModelRequest>;
  frame: PromptFrame;
  memory: MemoryBlock | null;
  context: DecideContext;
  controller: AbortController;
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

/** Asks the model once. The answer, or why there is none, becomes events; null when the work was called off before it cost anything. */
export async function performModel(state: SessionState, work: ModelWork, p: ModelPerformance): Promise<Completion | null> {
  const { threadId, startId, attempt } = work;
  const { controller } = p;
  const { signal } = controller;
  const rendered = requestOf(state, work, p);
  let asked: ModelAttempt | null = null;
  try {
    if (work.delayMs > 0) await p.time.sleep(work.delayMs, signal);
    const model = p.model();
    asked = new ModelAttempt(model, p.time);
    const completed = p.complete(rendered, model);
    const request = completed instanceof Promise ? await completed : completed;
    const response = await asked.ask(request, { controller, onDelta: p.onDelta });
    checkSize(response);
    const answer = answerOf(response, model.price);
    return {
      cause: `answer/${startId}`,
      build: (now, appendId) => modelAnswered(now, { threadId, startId, attempt, answer, appendId }, p.context),
    };
  } catch (error) {
    const spent = asked?.spent;
    if (isCalledOff(signal)) {
      if (spent === undefined) return null;
      return { cause: `spent/${startId}/${attempt}`, build: () => calledOff({ actor: threadId, startId, attempt, spent }) };
    }
    const failure = { threadId, startId, attempt, spent, ...whyOf(error, { state, attempt, p }) };
    return { cause: `attempt/${startId}/${attempt}`, build: (now) => attemptFailed(now, failure) };
  }
}

function whyOf(
  error: unknown,
  { state, attempt, p }: { state: SessionState; attempt: number; p: ModelPerformance },
): Pick<AttemptFailure, 'code' | 'message' | 'retryAfterMs' | 'cap'> {
  const { signal } = p.controller;
  if (isOutOfTime(signal)) {
    const { code, message } = faultOf(signal.reason);
    return { code: code ?? 'budget_exceeded', message, retryAfterMs: null, cap: wallTimeCap(state, p.time.now()) };
  }
  const { code, message } = faultOf(error);
  // A model of the caller's own may throw anything. Its thread stops with it, and no other.
  if (code === null) return { code: 'model_request_failed', message: `The model failed: ${message}`, retryAfterMs: null };
  const again = isRetryable(error) && attempt < MAX_ATTEMPTS;
  return { code, message, retryAfterMs: again ? retryDelayMs(attempt, { random: p.random(), retryAfterMs: retryAfterMs(error) }) : null };
}

function checkSize(response: ModelResponse): void {
  const size = Buffer.byteLength(JSON.stringify(response.content));
  if (size > MAX_ANSWER_BYTES) throw answerTooLarge(size);
}

function answerOf(response: ModelResponse, price: ModelPrice | undefined): Answer {
  const { content, stopReason, usage, refusal } = response;
  return { content, stopReason, usage, ...(refusal === undefined ? {} : { refusal }), costUsd: costOf(usage, price) };
}
