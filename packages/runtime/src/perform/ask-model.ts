import { DreamfoldError, type ModelUsage } from '@dreamfold/events';
import { totalTokens, type Spent } from '@dreamfold/core';
import type { Time } from '@dreamfold/log';
import {
  checkResponse,
  checkUsage,
  type Model,
  type ModelCall,
  type ModelPrice,
  type ModelRequest,
  type ModelResponse,
} from '@dreamfold/model';
import { withTimeLimit } from '../time/time-limit.ts';

/** How long one attempt at a model may take. */
const MODEL_LIMIT_MS = 600_000;

/** One attempt at a model, and what it has used so far, however it ends. */
export class ModelAttempt {
  readonly #model: Model;
  readonly #time: Time;
  #usage: ModelUsage | null = null;

  constructor(model: Model, time: Time) {
    this.#model = model;
    this.#time = time;
  }

  /**
   * Asks the model once. It may be anybody's code: it need not settle, nor answer what it should.
   * @param call.controller of the attempt: aborted when it takes too long
   * @throws DreamfoldError model_protocol_error, model_timeout, what the model throws, and what the controller was aborted with
   */
  async ask(
    request: ModelRequest,
    { controller, ...call }: Pick<ModelCall, 'onDelta'> & { controller: AbortController },
  ): Promise<ModelResponse> {
    const onUsage = (usage: unknown): void => {
      this.#usage = checkUsage(usage) ?? this.#usage;
    };
    const { signal } = controller;
    const response = await withTimeLimit(() => this.#model.respond(request, { ...call, signal, onUsage }), {
      time: this.#time,
      ms: MODEL_LIMIT_MS,
      controller,
      onTimeout: tooSlow,
    });
    onUsage((response as Partial<ModelResponse> | null)?.usage);
    return checkResponse(response);
  }

  /** undefined when nothing is known to have been used. */
  get spent(): Spent | undefined {
    const usage = this.#usage;
    if (usage === null || totalTokens(usage) === 0) return undefined;
    return { usage, costUsd: costOf(usage, this.#model.price) };
  }
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

function tooSlow(): DreamfoldError {
  return new DreamfoldError('model_timeout', `The model did not answer within ${MODEL_LIMIT_MS} ms`, {
    path: 'model',
    value: MODEL_LIMIT_MS,
    remedy: 'Look at whether the model can be reached, or ask for less at once.',
  });
}
