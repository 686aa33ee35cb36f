export { ModelError } from './model-error.ts';
export type {
  Decision,
  Model,
  ModelCall,
  ModelPrice,
  ModelRequest,
  ModelResolver,
  ModelResponse,
  RequestBlock,
  RequestMessage,
  ResponseBlock,
  ToolSpec,
} from './port.ts';
export { scripted, type ScriptedAnswer, type ScriptedPart, type ScriptedPolicy } from './scripted/scripted-model.ts';
