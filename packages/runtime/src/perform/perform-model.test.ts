import { describe, expect, test } from 'vitest';
import { DreamfoldError, type ErrorCode, type NewEvent } from '@dreamfold/events';
import { GivenSession, givenAgent } from '@dreamfold/core/testing';
import { MAX_ANSWER_BYTES, type Model, type ModelPrice, type ModelResponse } from '@dreamfold/model';
import { systemTime } from '../time/system-time.ts';
import { performModel, type ModelWork } from './perform-model.ts';

const usage = { input_tokens: 1_000_000, output_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
const price: ModelPrice = { input: 3, output: 15, cacheRead: 0, cacheWrite: 0 };
const answer = (text: string): ModelResponse => ({ content: [{ type: 'text', text }], stopReason: 'end_turn', usage });

/** The events that come of one attempt; null when it was called off. */
async function attempt(
  respond: Model['respond'],
  { number = 1, ...model }: { number?: number; price?: ModelPrice } = {},
): Promise<NewEvent[] | null> {
  const session = new GivenSession('Begin.', { agents: [givenAgent('lead')], caps: { tokens: 1e12, cost_usd: 1e12 } });
  const thread = session.thread('lead');
  // The attempts before it failed.
  session.state = { ...session.state, threads: [{ ...thread, request: { ...thread.request!, attempt: number } }] };
  const controller = new AbortController();
  const completion = await performModel(session.state, session.work[0] as ModelWork, {
    model: () => ({
      ...model,
      respond: (request, call) => {
        const answered = respond(request, call);
        if (number === 0) controller.abort(new Error('no longer wanted'));
        return answered;
      },
    }),
    complete: (request) => request,
    frame: { model: 'm', system: '', tools: [], maxTokens: 99 },
    ...{ memory: null, context: session.context, controller, time: systemTime, random: () => 0, onDelta: () => {} },
  });
  return completion === null ? null : completion.build(session.state, 'sevt_answer');
}

const failing =
  (code: ErrorCode): (() => Promise<never>) =>
  () =>
    Promise.reject(new DreamfoldError(code, 'No.', { remedy: 'Wait.' }));
const calledOff = (used: boolean): Promise<NewEvent[] | null> =>
  attempt(
    (_request, { onUsage, signal }) =>
      new Promise((_, reject) => {
        if (used) onUsage?.(usage);
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
    { number: 0, price },
  );

describe('an attempt that fails', () => {
  test.each([1, 2, 3, 4])('is made again after number %d', async (number) => {
    const [failed] = (await attempt(failing('model_overloaded'), { number }))!;
    expect(failed).toMatchObject({ type: 'model.attempt_failed', data: { attempt: number, retry_after_ms: 250 * 2 ** (number - 1) } });
  });

  test('is the last one when it is the fifth', async () => {
    const events = (await attempt(failing('model_overloaded'), { number: 5 }))!;
    expect(events.map(({ type }) => type)).toEqual(['model.attempt_failed', 'session.error', 'span.model_request_end']);
    expect(events[0]!.data).toMatchObject({ attempt: 5, retry_after_ms: null });
  });

  test('is the last one when the same request can only fail again', async () => {
    const events = (await attempt(failing('model_request_failed')))!;
    expect(events[0]!.data).toMatchObject({ attempt: 1, code: 'model_request_failed', retry_after_ms: null });
  });
});

test('an answer that no event can hold is a failure that says so', async () => {
  const events = (await attempt(() => Promise.resolve(answer('x'.repeat(MAX_ANSWER_BYTES)))))!;
  expect(events[0]!.data).toMatchObject({ code: 'payload_too_large', retry_after_ms: null });
});

describe('what an answer cost', () => {
  test.each([
    ['is known of a model with a price', price, 3],
    ['is not known of a model without one', undefined, null],
  ])('%s', async (_what, known, costUsd) => {
    const events = (await attempt(() => Promise.resolve(answer('Done.')), known === undefined ? {} : { price: known }))!;
    expect(events.at(-1)!.data).toMatchObject({ df_cost_usd: costUsd });
  });

  test('is recorded when it was called off, and nothing else of it', async () => {
    expect(await calledOff(true)).toMatchObject([{ type: 'model.attempt_failed', data: { code: 'interrupted', cost_usd: 3 } }]);
    expect(await calledOff(false)).toBeNull();
  });
});
