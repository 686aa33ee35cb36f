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
} from './definitions.ts';
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
} from './definition-shapes.ts';
export { RequestDigests, sha256 } from './digest.ts';
export { MemoryKeeper, type MemoryExport, type MemoryImport, type StoreSummary } from './memory-keeper.ts';
export { ConstitutionShape, loadConstitution } from './constitution-file.ts';
export { checkDreamRules, type DreamRule } from './dream-rule.ts';
export { dreamByRules, type DreamNews, type TriggerOptions } from './dream-trigger.ts';
export { Dreamer, DreamOptionsShape, type DreamOptions, type DreamReport, type DreamtInsightReport } from './dreamer.ts';
export { ProposalEditor, type EditedProposal, type ProposalEdit } from './proposal-editor.ts';
export { exportStreams, type ExportRequest } from './export-streams.ts';
export { type ExportDamage } from './export-skips.ts';
export { ImportRequestShape, type ImportReport, type ImportRequest } from './import-report.ts';
export { checkImport, importSessions, type CheckedImport } from './import-sessions.ts';
export { loadSession, noSession } from './load-session.ts';
export { confirmOn, type GivenConfirmation } from './decided-before.ts';
export { operator } from './operator.ts';
export { commandSession, ConfirmationShape, FeedbackShape, JudgementShape, recordFeedbackOn } from './session-commands.ts';
export { checkTask, type NewSession } from './new-session.ts';
export { asReadError, readRegularFile } from './regular-file.ts';
export { SessionHost, type HostOptions, type SessionTeam } from './session-host.ts';
export { type WorkShare } from './work-share.ts';
export { workOn, type WorkerNews, type WorkerOptions } from './worker.ts';
export { Session, resultOf, type OutcomeResult, type SendOptions, type SessionEvents, type SessionResult } from './session.ts';
export { streamsByAge } from './streams-by-age.ts';
export { changedTools, compileTeam, type Team } from './team.ts';
export { verifyRequests, type RequestsReport } from './verify-requests.ts';
