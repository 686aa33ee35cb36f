export {
  DreamfoldError,
  isDreamfoldError,
  type ErrorCode,
  type EventData,
  type EventType,
  type KnownEvent,
  type LogEvent,
} from '@dreamfold/events';
export { readChoices, type RememberedChoice, type SessionState } from '@dreamfold/core';
export { scripted, type Model, type ModelRequest, type ModelResponse, type ScriptedAnswer, type ScriptedPolicy } from '@dreamfold/model';
export { anthropic, type AnthropicOptions } from '@dreamfold/model/anthropic';
export {
  forbiddenPhrase,
  verdictError,
  type Constitution,
  type ConstitutionRule,
  type MemoryChange,
  type Suggestion,
} from '@dreamfold/dreaming';
export { checkImport, loadConstitution, type CheckedImport } from '@dreamfold/runtime';
export type { LogNotice } from '@dreamfold/log-kafka';
export { cursorAtStart, type Cursor, type Log, type StreamInfo, type VerifyReport } from '@dreamfold/log';
export type {
  AgentDefinition,
  DreamNews,
  DreamOptions,
  DreamReport,
  DreamRule,
  EditedProposal,
  ExportRequest,
  ExportDamage,
  ImportReport,
  ImportRequest,
  ProposalEdit,
  RequestsReport,
  RubricDefinition,
  Session,
  SessionResult,
  ToolContext,
  ToolDefinition,
  WorkerNews,
} from '@dreamfold/runtime';
export { agent, type AgentOptions } from './agent.ts';
export { checkRun } from './check-run.ts';
export { Dreamfold, type KeepDreamingOptions, type WorkOptions } from './dreamfold.ts';
export { open, type OpenOptions } from './open.ts';
export type { RunOptions } from './run-options.ts';
export { rubric, type CriterionOptions, type RubricOptions } from './rubric.ts';
export { tool, type ToolOptions } from './tool.ts';
