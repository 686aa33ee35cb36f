/**
 * The port to a model, and models without a service.
 * @module @dreamfold/model
 */
export { answerTooLarge, checkResponse, checkUsage, MAX_ANSWER_BYTES } from './check-response.ts';
export { isRetryable, retryAfterMs, retryDelayMs } from './error-retry.ts';
export { parseGraderResponse, renderGraderRequest, type Graded, type GraderTask } from './grading.ts';
export { ModelError } from './model-error.ts';
export { memoryText, plainSaying } from './port.ts';
export type {
  Decision,
  MemoryBlock,
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
export { checkTakes, requestTaken } from './takes.ts';
export { scripted, type ScriptedAnswer, type ScriptedPart, type ScriptedPolicy } from './scripted/scripted-model.ts';
