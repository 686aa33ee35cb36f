/**
 * What sessions, outcomes and memories do, as pure functions.
 * @module @dreamfold/core
 */
export {
  confirmTool,
  interrupt,
  judge,
  mustRun,
  recordFeedback,
  sendMessage,
  type Confirmation,
  type Judgement,
} from './session/commands.ts';
export { awaitedEvents, decideSession, openWork, unjudged, type DecideContext, type Work } from './session/decide.ts';
export { evolveSession } from './session/evolve.ts';
export { List } from './session/list.ts';
export { hasSomethingToDo, isAtRestAfter, isRequest } from './session/rest.ts';
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
export {
  attemptFailed,
  graded,
  modelAnswered,
  recovered,
  toolFinished,
  type Answer,
  type AttemptFailure,
  type Decision,
  type Grading,
  type ToolOutput,
} from './session/results.ts';
export {
  agentOf,
  bestAttempt,
  callOf,
  initialSession,
  leadThreadId,
  NO_CAPS,
  taskOf,
  threadOf,
  totalTokens,
  type Attempt,
  type Call,
  type Outcome,
  type SessionState,
  type Thread,
  type Usage,
} from './session/state.ts';
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
export { MessagesRow, parseMessagesLine } from './import/messages.ts';
export { parseTauBench } from './import/tau-bench.ts';
export type { ImportNote } from './import/transcript.ts';
export { canonicalJson, utf8Bytes, type Sha256 } from './memory/canonical-json.ts';
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
} from './memory/commands.ts';
export { EMPTY_DOCUMENT, MAX_MEMORIES, Memory, Note, Playbook, documentHash, type MemoryDocument } from './memory/document.ts';
export { blame, type BlamedLine } from './memory/blame.ts';
export { diffVersions, keptLines, type VersionDiff } from './memory/diff-versions.ts';
export { escapeToken } from './memory/json-pointer.ts';
export { documentToFiles, filesToDocument, type MemoryFile, type MemoryFromFiles } from './memory/memory-files.ts';
export { checkMemoryPath, checkPathsApart } from './memory/memory-path.ts';
export { patchTowards, patchesTowards } from './memory/patch-towards.ts';
export { PROMPT_MEMORY_BYTES, selectMemory, type PinnedMemory, type SelectedMemory } from './memory/select.ts';
export { phrasesOf } from './memory/phrases.ts';
export { proposedText, withProposedText, writtenBy } from './memory/proposed-text.ts';
export { readChoices, type RememberedChoice } from './memory/read-choices.ts';
export { renderInsight, renderLines, renderMemory, type RenderedLine } from './memory/render.ts';
export {
  documentAt,
  evolveDraft,
  evolveMemory,
  initialMemory,
  patchOf,
  versionAt,
  type InsightCounts,
  type MemoryState,
  type MemoryVersion,
  type PatchRecord,
  type PatchStatus,
} from './memory/state.ts';
export { documentAtPoint, versionsOf, type MemoryPoint, type VersionEntry } from './memory/versions.ts';
