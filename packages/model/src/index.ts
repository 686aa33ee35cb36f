/**
 * The port to a model, and models without a service.
 * @module @dreamfold/model
 */
export { checkResponse } from './check-response.ts';
export { isRetryable, retryAfterMs, retryDelayMs } from './error-retry.ts';
export { parseGraderResponse, renderGraderRequest, type Graded, type GraderTask } from './grading.ts';
export { ModelError } from './model-error.ts';
export type {
  Decision,
  Model,
  ModelCall,
  ModelPrice,
  ModelRequest,
  ModelResponse,
  RequestBlock,
  RequestMessage,
  ResponseBlock,
  ToolSpec,
} from './port.ts';
export { answersByRequest, recorded, type FindRecorded } from './recorded.ts';
export { scripted, type ScriptedAnswer, type ScriptedPart, type ScriptedPolicy } from './scripted/scripted-model.ts';
