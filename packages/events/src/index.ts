/**
 * What the log holds: schemas, the envelope, ids, errors.
 * @module @dreamfold/events
 */
export {
  AnyThinking,
  BLOCK_KINDS,
  BlobRef,
  Content,
  ContentBlock,
  OTHER_BLOCKS,
  Source,
  TextBlock,
  UnknownBlock,
  blobsIn,
  blobsNamedBy,
  isPlainText,
  kindOfBlock,
  text,
  textOf,
  type BlockKind,
} from './content.ts';
export {
  CATALOGUE,
  EVENT_VERSION,
  ImportSkipped,
  LogErased,
  LogGenesis,
  MAX_ERASED,
  MAX_ERASURE_REASON_CHARS,
  checkPayload,
  isEventType,
  knownEvent,
  streamKindOf,
  type EventData,
  type EventType,
  type KnownEvent,
  type RecordedEvent,
  type SessionEvent,
  type SessionEventType,
  type UnknownEvent,
} from './catalogue.ts';
export {
  ChoiceInsight,
  Cue,
  DreamCancelled,
  DreamClaimed,
  DreamCompleted,
  DreamFailed,
  DreamRefined,
  DreamReviewed,
  DreamStarted,
  Uncounted,
  Finding,
  Insight,
  InsightProposed,
  InsightRejected,
  NoteSuggestion,
  ProposalAnswered,
  ProposalRequested,
  BaseRateInsight,
  GuardReport,
  RecoveryInsight,
  Suggestion,
  WithheldSuggestion,
} from './dream-events.ts';
export {
  Causation,
  Envelope,
  GENESIS_HASH,
  MAX_EVENT_BYTES,
  RULE,
  STORED_EVENT_VERSION,
  StreamName,
  WriteClass,
  eventId,
  hashInput,
  isAppendField,
  isStoredEvent,
  type AppendField,
  type LogEvent,
  type NewEvent,
  type StoredEvent,
} from './envelope.ts';
export { asGiven, FilePath, Text, checked, functionOf, nearest, oneOf, optionsOf, withMethods } from './guards/checked.ts';
export { arg, asItIs, checkMethods, type MethodArguments } from './guards/checked-methods.ts';
export { DreamfoldError, ERROR_STATUS, isDreamfoldError, withRemedy, type ErrorCode, type ErrorDetails } from './errors.ts';
export { DATA_LIMITS, JSON_LIMITS, checkJson, checkText, parseJson, type JsonLimits } from './guards/guard-json.ts';
export { ID_PREFIX, idFrom, idOfStream, streamOf, type IdKind } from './ids.ts';
export { LABELLER_WEIGHT, LabellerClass, isTrustedLabeller, labellerClassOf } from './labellers.ts';
export {
  EvidenceRef,
  GateVerdict,
  InsightsCounted,
  PatchApplied,
  PatchApproved,
  PatchOperation,
  PatchProposed,
  PatchRejected,
  PatchRolledBack,
  PatchValidated,
  StoreCreated,
} from './memory-events.ts';
export { MAX_LABELLER_CHARS, MAX_PRINCIPAL_CHARS, canonicalName, checkName, nameFault } from './names.ts';
export {
  AgentToolResult,
  AgentToolUse,
  CapReached,
  Criterion,
  CriterionScore,
  DefineOutcome,
  EventSkipped,
  FeedbackRecorded,
  GivenInsight,
  GraderRef,
  ModelUsage,
  OutcomeImported,
  OutcomeScored,
  SessionCreated,
  StopReason,
  ThreadStatusIdle,
  type SessionClaimed,
} from './session-events.ts';
export { kindOf } from './guards/kind-of.ts';
export { findSuspicious, suspiciousCharacters } from './guards/suspicious-characters.ts';
export { characterCount, firstCharacters, hasAtMost } from './guards/text-length.ts';
export { AgentSnapshot, Caps, JsonSchema, MemoryPin, TeamSnapshot, ToolEffect, ToolPolicy, ToolSnapshot } from './team-snapshot.ts';
export { foldKnown, foldWith, type FoldHandlers } from './fold-with.ts';
export { newEvent } from './new-event.ts';
