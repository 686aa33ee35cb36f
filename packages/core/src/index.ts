/**
 * What sessions, outcomes and memories do, as pure functions.
 * @module @dreamfold/core
 */
export { type ApprovalContext, type CheckedInput } from './session/commands/approval.ts';
export {
  attemptFailed,
  calledOff,
  graderAttemptFailed,
  gradingStopped,
  spentOf,
  type AttemptFailure,
  type Spent,
} from './session/attempts.ts';
export { deadlineOf, sumOfCost, sumOfUsage, wallTimeCap } from './session/caps.ts';
export {
  askForOutcome,
  interrupt,
  judge,
  mustRun,
  recordFeedback,
  sendMessage,
  skipEvent,
  type Judgement,
} from './session/commands/commands.ts';
export { confirmTool, type CheckInput, type Confirmation } from './session/commands/confirm-tool.ts';
export { inputChanges, type InputChange } from './session/fold/input-changes.ts';
export { isPlainJson, MAX_JSON_DEPTH } from './session/plain-json.ts';
export { awaitedEvents, decideSession, openWork, unjudged, type DecideContext, type Work } from './session/decide.ts';
export { evolveSession } from './session/fold/evolve.ts';
export { List } from './session/fold/list.ts';
export { principalFields, type Principal } from './session/commands/principal.ts';
export { checkRightAnswer } from './session/commands/right-answer.ts';
export { hasEndedAfter, hasSomethingToDo, isUntaken, restAfter, type SessionRest } from './session/rest.ts';
export {
  COMPACTION_PROMPT,
  DELEGATE_TOOL,
  promptFrame,
  renderRequest,
  type ModelRequest,
  type PromptFrame,
  type RequestBlock,
  type RequestMessage,
  type ToolSpec,
} from './session/prompt.ts';
export { type AnswerBlock, type Decision } from './session/answer-parts.ts';
export { givenContent, type GivenBlock } from './session/commands/given-content.ts';
export { putBackData, takeOutData, type BytesCodec } from './session/large-data.ts';
export { graded, type Grading } from './session/grading.ts';
export { modelAnswered, type Answer } from './session/answer.ts';
export { recovered } from './session/recovery.ts';
export { toolFinished, type ToolOutput } from './session/tool-finished.ts';
export {
  agentOf,
  answerOfTurn,
  bestAttempt,
  callOf,
  initialSession,
  leadThreadId,
  DEFAULT_CAPS,
  NO_USAGE,
  outcomeOfTurn,
  taskOf,
  threadOf,
  totalTokens,
  waitsForTurn,
  type Attempt,
  type Call,
  type Outcome,
  type SessionState,
  type Thread,
  type Usage,
} from './session/fold/state.ts';
export {
  ExportBlob,
  ExportEnd,
  ExportHeader,
  ExportReader,
  EXPORT_VERSION,
  encodeExportLine,
  type ExportLine,
} from './import/export-format.ts';
export { IMPORT_FORMATS, importFormat, type ImportFormat } from './import/format.ts';
export type { ImportedAppend } from './import/append-writer.ts';
export type { ImportedSession, ImportOptions } from './import/imported-session.ts';
export { areRows, importMessages, MessagesRow, parseMessagesLine } from './import/messages.ts';
export { tried, type ReadRow } from './import/read-row.ts';
export { parseTools } from './import/recorded/recorded-tools.ts';
export { DOCUMENT_LIMITS, parseTauBench, readTauBench } from './import/tau-bench.ts';
export type { ImportNote } from './import/transcript.ts';
export { backoffMs } from './time/backoff.ts';
export { stepWorker, type WorkerIntent, type WorkerNews } from './worker/decide-worker.ts';
export { initialWorker, isToBeTaken, type Due, type UnderWay, type WorkerObservation, type WorkerState } from './worker/worker-state.ts';
export { canonicalJson, equalJson, utf8Bytes, type Sha256 } from './memory/document/canonical-json.ts';
export {
  AUTO_APPROVER,
  applyPatch,
  approvePatch,
  createStore,
  editPatch,
  proposePatch,
  rejectPatch,
  rollbackPatch,
  validatePatch,
  writeMemory,
  type EditPatch,
  type MemoryTools,
  type ProposePatch,
} from './memory/review/commands.ts';
export { EMPTY_DOCUMENT, MAX_MEMORIES, Memory, Note, Playbook, documentHash, type MemoryDocument } from './memory/document/document.ts';
export { blame, type BlamedLine } from './memory/review/blame.ts';
export { diffVersions, keptLines, type VersionDiff } from './memory/review/diff-versions.ts';
export { escapeToken } from './memory/document/json-pointer.ts';
export { documentToFiles, filesToDocument, type MemoryFile, type MemoryFromFiles } from './memory/document/memory-files.ts';
export { checkMemoryPath, checkPathsApart } from './memory/document/memory-path.ts';
export { applyOperations, touchedParts } from './memory/document/patch.ts';
export { patchTowards, patchesTowards } from './memory/document/patch-towards.ts';
export {
  memoryBlock,
  memoryText,
  NO_MEMORY,
  plainSaying,
  PROMPT_MEMORY_BYTES,
  selectMemory,
  valuesOf,
  type MemoryBlock,
  type PinnedMemory,
  type RememberedChoice,
  type SelectedMemory,
  type ThreadTask,
} from './memory/prompt/select.ts';
export { phrasesOf } from './memory/prompt/phrases.ts';
export { proposedText, withProposedText, writtenBy } from './memory/prompt/proposed-text.ts';
export { readChoices } from './memory/prompt/read-choices.ts';
export { renderInsight } from './memory/prompt/insight-text.ts';
export { renderLines, renderMemory, type RenderedLine } from './memory/prompt/render.ts';
export {
  documentAt,
  evolveDraft,
  evolveMemory,
  initialMemory,
  isUndecided,
  mayBecome,
  patchOf,
  versionAt,
  type InsightCounts,
  type MemoryState,
  type MemoryVersion,
  type PatchRecord,
  type PatchStatus,
} from './memory/review/state.ts';
export { documentAtPoint, versionsOf, type MemoryPoint, type VersionEntry } from './memory/review/versions.ts';
export { subtree } from './session/fold/handlers.ts';
export { settle, type AppendPlace, type Decider } from './settle.ts';
