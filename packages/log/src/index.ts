/**
 * The log: its port and the rule of what counts.
 * @module @dreamfold/log
 */
export type {
  AppendNotice,
  Appended,
  AppendRequest,
  Archive,
  Blobs,
  Erasure,
  Erased,
  ErasureRequest,
  Erasures,
  Head,
  Log,
  LogCapabilities,
  LogWatcher,
  Membership,
  OnAssigned,
  Partitions,
  ReadOptions,
  SharedWork,
  StreamInfo,
  SubscribeOptions,
  VerifyProblem,
  VerifyReport,
} from './port.ts';
export { advanced, cursorAtStart, hasSeen, placeOf, positionOf, seenBy, type Cursor } from './cursor.ts';
export {
  ANCHOR_AT_START,
  EMPTY_HEAD,
  advanceAnchor,
  fate,
  foldRecord,
  isAnchored,
  isFinal,
  isIntact,
  type Anchor,
  type Counted,
  type Fold,
  type HashText,
  type Judged,
  type Proposal,
  type Refusal,
  type RuleContext,
  type Verdict,
} from './rule/rule.ts';
export { erasedBy } from './rule/erasure.ts';
export { LOG_STREAM } from './rule/genesis.ts';
export { missingPayloads, type MissingPayload } from './rule/missing-payloads.ts';
export { openMemoryLog } from './memory-log.ts';
export { parsePayloadText } from './rule/payload.ts';
export { hasEnded, thisProcess, type ProcessIdentity } from './process-identity.ts';
export type { ProcessorLock, RunningProcessor } from './processor-lock.ts';
export { fold } from './replay.ts';
export { mebibytes, wrongFinding, type Finding } from './finding.ts';
export { verifyStream } from './rule/verify-stream.ts';
export { machineAfter, sleepBy, type Time } from './time.ts';
