import { hasSomethingToDo, type SessionState } from '@dreamfold/core';
import { withRemedy } from '@dreamfold/events/errors';
import { isDreamfoldError, type Dreamfold } from 'dreamfold';
import type { Io } from '../io.ts';

/** Who runs what is on the log, as `Dreamfold.processor` says. */
export type Processor = ReturnType<Dreamfold['processor']>;

/**
 * Whether a session has something to do and no process does it. False where that is not known, as on Kafka.
 */
export function isUnattended(state: SessionState, processor: Processor): boolean {
  if (processor === 'unknown' || !hasSomethingToDo(state)) return false;
  if (processor === null) return true;
  // Whoever took the lock after that has not taken this session up; a worker of its team would have.
  return state.status === 'running' && state.claimedAt < processor.since;
}

/** Says that nobody runs a session, and what does. */
export function tellUnattended(id: string, io: Io): void {
  io.line(io.paint('yellow', "Nobody runs this. It goes on with its team's file:"));
  io.verbatim(`  ${io.typed(`resume ${id} FILE`)}`);
}

/** The error with what to do instead, when another process has the data directory. */
export function besideProcessor(error: unknown, remedy: (pid: string) => string): unknown {
  if (!isDreamfoldError(error, 'store_locked') || typeof error.value !== 'number') return error;
  return withRemedy(error, remedy(String(error.value)));
}
