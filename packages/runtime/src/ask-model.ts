import { DreamfoldError } from '@dreamfold/events';
import { checkResponse, type Model, type ModelCall, type ModelRequest, type ModelResponse } from '@dreamfold/model';
import { withTimeLimit } from './time-limit.ts';

/** How long one attempt at a model may take. */
export const MODEL_LIMIT_MS = 600_000;

/**
 * Asks a model once. It may be anybody's code: it need not settle, nor answer what it should.
 * @param limit the time limit in milliseconds, and what to say when it has passed
 * @throws DreamfoldError model_protocol_error, model_timeout or what `limit` says, and what the model throws
 */
export async function askModel(
  model: Model,
  {
    request,
    call,
    limit = { ms: MODEL_LIMIT_MS, error: tooSlow },
  }: { request: ModelRequest; call: ModelCall; limit?: { ms: number; error: () => DreamfoldError } },
): Promise<ModelResponse> {
  const controller = new AbortController();
  const signal = AbortSignal.any([call.signal, controller.signal]);
  const response = await withTimeLimit(() => model.respond(request, { ...call, signal }), {
    ms: limit.ms,
    signal: call.signal,
    onTimeout: () => {
      const error = limit.error();
      controller.abort(error);
      return error;
    },
  });
  return checkResponse(response);
}

function tooSlow(): DreamfoldError {
  return new DreamfoldError('model_timeout', `The model did not answer within ${MODEL_LIMIT_MS} ms`, {
    path: 'model',
    value: MODEL_LIMIT_MS,
    remedy: 'Look at whether the model can be reached, or ask for less at once.',
  });
}
