import { randomUUID } from 'node:crypto';
import { DreamfoldError, idFrom, isDreamfoldError, streamOf, type FeedbackRecorded, type LogEvent, type NewEvent } from '@dreamfold/events';
import { recordFeedback, type SessionState } from '@dreamfold/core';
import type { Log } from '@dreamfold/log';
import { sha256 } from './digest.ts';
import { loadSession } from './load-session.ts';

const ATTEMPTS = 20;

/**
 * Writes to a session that another process may be running: an approval, an interrupt, a message, feedback. Built on the newest
 * state, and built again when someone else was first.
 * @returns the events, [] when there was nothing to write
 * @throws DreamfoldError not_found, and what `build` throws
 */
export async function commandSession(
  log: Log,
  sessionId: string,
  build: (state: SessionState) => NewEvent[],
): Promise<readonly LogEvent[]> {
  const id = idFrom('event', sha256(randomUUID()));
  for (let attempt = 1; ; attempt += 1) {
    const state = await loadSession(log, sessionId);
    const events = build(state);
    if (events.length === 0) return [];
    try {
      return (await log.append({ stream: streamOf('session', sessionId), id, expected: state.seq, events })).events;
    } catch (error) {
      if (!isDreamfoldError(error, 'head_conflict') || attempt >= ATTEMPTS) throw error;
    }
  }
}

/**
 * Records what came of an event of a session later.
 * @throws DreamfoldError not_found when the session has no such event, invalid_argument when it is not a call or a message
 */
export async function recordFeedbackOn(log: Log, sessionId: string, feedback: FeedbackRecorded): Promise<readonly LogEvent[]> {
  await mustBeJudgeable(log, sessionId, feedback.judges);
  return commandSession(log, sessionId, (state) => recordFeedback(state, feedback));
}

async function mustBeJudgeable(log: Log, sessionId: string, eventId: string): Promise<void> {
  for await (const batch of log.read(streamOf('session', sessionId))) {
    const judged = batch.find((event) => event.id === eventId);
    if (judged === undefined) continue;
    if (judged.type === 'agent.tool_use' || judged.type === 'agent.message') return;
    throw new DreamfoldError('invalid_argument', `Feedback judges a call or a message, not ${judged.type}`, {
      path: 'judges',
      value: eventId,
      remedy: 'Name an agent.tool_use or agent.message of the session.',
    });
  }
  throw new DreamfoldError('not_found', `${sessionId} has no event ${eventId}`, {
    path: 'judges',
    value: eventId,
    remedy: 'Find the event with `dreamfold show`.',
  });
}
