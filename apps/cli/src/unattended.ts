import { hasSomethingToDo, type SessionState } from '@dreamfold/core';
import { DreamfoldError, isDreamfoldError, type Dreamfold } from 'dreamfold';
import type { Io } from './io.ts';

type Processor = ReturnType<Dreamfold['processor']>;

/**
 * Whether a session has something to do and no process does it. False where that is not known, as on Kafka.
 * @param processor of `Dreamfold.processor`
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
  const { code, message, path, value } = error;
  return new DreamfoldError(code, message, { remedy: remedy(String(value)), value, cause: error, ...(path === undefined ? {} : { path }) });
}
