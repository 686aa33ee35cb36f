import { randomBytes } from 'node:crypto';
import { DreamfoldError, RULE, type LogGenesis, type NewEvent } from '@dreamfold/events';
import type { AppendRequest } from './port.ts';

/** The stream that describes the log itself. Its first event is the first of the log. */
export const LOG_STREAM = 'log/main';

export function newLogId(): string {
  return `log_${randomBytes(12).toString('hex')}`;
}

/** The append that every log begins with. */
export function genesisRequest(logId: string): AppendRequest {
  const data: LogGenesis = { log_id: logId, rule: RULE, partitions: 1, erasure: true };
  const event: NewEvent = { type: 'log.genesis', data, class: 'open', actor: 'system' };
  return { stream: LOG_STREAM, id: logId, expected: 0, events: [event] };
}

/** @throws DreamfoldError invalid_argument: without its genesis a log cannot be opened */
export function checkErasable(stream: string): void {
  if (stream !== LOG_STREAM) return;
  throw new DreamfoldError('invalid_argument', `${LOG_STREAM} cannot be erased: it says which log this is`, {
    path: 'stream',
    value: stream,
    remedy: 'Erase events of other streams; this one holds nothing personal.',
  });
}
