/**
 * What performs what the core decides.
 * @module @dreamfold/runtime
 */
export {
  type AgentDefinition,
  type AttemptView,
  type CodeVerdict,
  type CriterionDefinition,
  type GraderDefinition,
  type RubricDefinition,
  type ToolContext,
  type ToolDefinition,
} from './team/definitions.ts';
export {
  agentWords,
  AnyModel,
  DefinitionName,
  MaxIterations,
  ModelOrName,
  PassScore,
  PrincipalShape,
  RubricShape,
  TimeoutMs,
  TokenCount,
  toolWords,
} from './team/definition-shapes.ts';
export { RequestDigests, sha256 } from './digest.ts';
export { MemoryKeeper, type MemoryExport, type MemoryImport, type StoreSummary } from './memory/memory-keeper.ts';
export { ConstitutionShape, loadConstitution } from './memory/constitution-file.ts';
export { checkDreamRules, type DreamRule } from './dream/dream-rule.ts';
export { dreamByRules, type DreamNews, type TriggerOptions } from './dream/dream-trigger.ts';
export { Dreamer, DreamOptionsShape, type DreamOptions, type DreamReport, type DreamtInsightReport } from './dream/dreamer.ts';
export { type ProposalRequest, type Proposer } from './dream/proposers.ts';
export { type ToldDream, type ToldInsight } from './dream/told-dream.ts';
export { ProposalEditor, type EditedProposal, type ProposalEdit } from './memory/proposal-editor.ts';
export { exportStreams, type ExportAbsence, type ExportRequest } from './transfer/export-streams.ts';
export { type ExportDamage } from './transfer/export-skips.ts';
export { ImportRequestShape, type ImportReport, type ImportRequest } from './transfer/import-report.ts';
export { checkImport, importSessions, type CheckedImport } from './transfer/import-sessions.ts';
export { loadSession, noSession } from './session/load-session.ts';
export { confirmOn, type GivenConfirmation } from './session/decided-before.ts';
export { operator } from './operator.ts';
export {
  commandSession,
  ConfirmationShape,
  FeedbackShape,
  JudgementShape,
  recordFeedbackOn,
  SkipShape,
} from './session/session-commands.ts';
export { checkTask } from './session/new-session.ts';
export { storeGiven } from './content-blobs.ts';
export { blocks } from './team/tool-blocks.ts';
export { asReadError, readRegularBytes, readRegularFile } from './regular-file.ts';
export { SessionHost, type GivenSession, type HostOptions, type SessionTeam } from './session/session-host.ts';
export { type WorkShare } from './worker/work-share.ts';
export { workOn, type WorkerNews, type WorkerOptions } from './worker/worker.ts';
export { MACHINE, type LogInTime, type Surroundings } from './time/surroundings.ts';
export { systemTime } from './time/system-time.ts';
export { Session, resultOf, type OutcomeResult, type SendOptions, type SessionEvents, type SessionResult } from './session/session.ts';
export { streamsByAge } from './worker/streams-by-age.ts';
export { changedTools, compileTeam, type Team } from './team/team.ts';
export { verifyRequests, type RequestsReport } from './session/verify-requests.ts';
