import type { Model, ModelRequest, ModelResponse } from '../port.ts';

/** A model that is wrapped to be watched. */
export interface CountingModel extends Model {
  /** Every attempt so far, also those that failed. */
  readonly requests: readonly ModelRequest[];
  /** Every answer so far. */
  readonly responses: readonly ModelResponse[];
}

/** Passes every request on and keeps it, so that a test can count what was asked and see what was shown. */
export function countingModel(model: Model): CountingModel {
  const requests: ModelRequest[] = [];
  const responses: ModelResponse[] = [];
  return {
    ...(model.price && { price: model.price }),
    requests,
    responses,
    async respond(request, call) {
      requests.push(request);
      const response = await model.respond(request, call);
      responses.push(response);
      return response;
    },
  };
}
