/**
 * What programs import: teams, rubrics, and the log that they run on.
 * @module dreamfold
 */

import { needSupportedNode } from './supported-node.ts';

export {
  DreamfoldError,
  isDreamfoldError,
  type BlockKind,
  type Content,
  type ContentBlock,
  type ErrorCode,
  type ErrorDetails,
  type EventData,
  type EventType,
  type KnownEvent,
  type LogEvent,
  type RecordedEvent,
  type SessionEvent,
  type UnknownEvent,
} from '@dreamfold/events';
export { readChoices, type GivenBlock, type Principal, type RememberedChoice, type SessionState } from '@dreamfold/core';
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
export { blocks, checkImport, loadConstitution, operator, type CheckedImport } from '@dreamfold/runtime';
export type { LogNotice, RepairReport } from '@dreamfold/log-kafka';
export {
  cursorAtStart,
  type Cursor,
  type Erased,
  type ErasureRequest,
  type Finding,
  type Log,
  type RunningProcessor,
  type StreamInfo,
  type VerifyProblem,
  type VerifyReport,
} from '@dreamfold/log';
export type {
  AgentDefinition,
  DreamNews,
  DreamOptions,
  DreamReport,
  DreamRule,
  EditedProposal,
  ExportAbsence,
  ExportRequest,
  ExportDamage,
  ImportReport,
  ImportRequest,
  OutcomeResult,
  ProposalEdit,
  ProposalRequest,
  Proposer,
  RequestsReport,
  RubricDefinition,
  SendOptions,
  Session,
  SessionResult,
  ToolContext,
  ToolDefinition,
  WorkerNews,
} from '@dreamfold/runtime';
export type { DreamQuery, ListNotice, Lists, Page, ProposalQuery, SessionQuery } from '@dreamfold/projections';
export type { DreamRow, ProposalRow, SessionRow, SessionStatus, StoreRow } from '@dreamfold/views';
export { agent, type AgentOptions } from './agent.ts';
export { checkRun } from './check-run.ts';
export type { Dreamfold, KeepDreamingOptions, WorkOptions } from './dreamfold.ts';
export { examine, type ExamineRequest } from './examine.ts';
export { open, type OpenOptions } from './open.ts';
export { repair, type RepairLogOptions } from './repair.ts';
export type { RunOptions } from './run-options.ts';
export { rubric, type CriterionOptions, type RubricOptions } from './rubric.ts';
export { textOf } from './text-of.ts';
export { tool, type ToolOptions } from './tool.ts';

needSupportedNode();
