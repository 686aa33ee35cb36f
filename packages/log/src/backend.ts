// For those who write a log of their own, beside what index.ts names. Whoever only uses a log needs none of this.
export {
  answerAppend,
  checkSameAppend,
  isOnTop,
  newWriterName,
  prepareAppend,
  proposalOn,
  refusalError,
  stampAppend,
  type PreparedAppend,
  type PreparedEvent,
} from './rule/append.ts';
export { checkCursor } from './cursor.ts';
export { eraseEvents } from './rule/erasure.ts';
export { genesisRequest, genesisStream, newLogId } from './rule/genesis.ts';
export { toLogEvent } from './log-event.ts';
export { verifyWithMissing } from './rule/missing-payloads.ts';
export { checkPosition, checkRange } from './read-range.ts';
export type {
  BlobChunk,
  ErasedEvent,
  FoldedAppend,
  PartitionRecord,
  PartitionReplica,
  ReplicaStorage,
  SetAside,
  SideStore,
} from './rule/replica.ts';
export { restorePlan, type RestoredAppend, type RestoreTarget } from './rule/restore.ts';
export { BATCH_SIZE, ChangeSignal, readBetween, waitUntil } from './subscription.ts';
export { asSystemError } from './system-error.ts';
export { watchBySubscribing } from './watchers.ts';
