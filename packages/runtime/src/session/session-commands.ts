import { randomUUID } from 'node:crypto';
import {
  asGiven,
  DreamfoldError,
  FeedbackRecorded,
  idFrom,
  knownEvent,
  optionsOf,
  streamOf,
  Text,
  type KnownEvent,
  type LogEvent,
  type NewEvent,
} from '@dreamfold/events';
import { agentOf, checkRightAnswer, recordFeedback, type Judgement, type SessionState } from '@dreamfold/core';
import { z } from 'zod';
import { decideAgain } from './decide-again.ts';
import type { GivenConfirmation } from './decided-before.ts';
import { sha256 } from '../digest.ts';
import { loadSession } from './load-session.ts';
import type { LogInTime } from '../time/surroundings.ts';

/** What a caller may say of an event, a criterion or a call; see the types of the same names. */
export const FeedbackShape = optionsOf<FeedbackRecorded>({
  ...FeedbackRecorded.shape,
  right_answer: asGiven(FeedbackRecorded.shape.right_answer).optional(),
});
export const JudgementShape = optionsOf<Judgement>({
  criterion: Text,
  score: z.number(),
  reason: z.string(),
  by: Text,
});
/** What may be said of a call beside its id and the word itself. */
export const WORD = {
  message: z.string().optional(),
  input: z.unknown().optional(),
  callHash: z.string().optional(),
  by: Text.optional(),
};
export const ConfirmationShape = optionsOf<GivenConfirmation>({ toolUseId: Text, result: z.enum(['allow', 'deny']), ...WORD });

/**
 * Writes to a session that another process may be running: an approval, an interrupt, a message, feedback. Built on the newest
 * state, and built again when someone else was first.
 * @returns the events, [] when there was nothing to write
 * @throws DreamfoldError not_found, and what `build` throws
 */
export async function commandSession(
  on: LogInTime,
  sessionId: string,
  build: (state: SessionState) => NewEvent[],
): Promise<readonly LogEvent[]> {
  return write(on, sessionId, { build });
}

interface Writing {
  build: (state: SessionState) => NewEvent[];
  /** Is shown what the state is built of. */
  onEvent?: (event: LogEvent) => void;
}

async function write({ log, ...surroundings }: LogInTime, sessionId: string, { build, ...how }: Writing): Promise<readonly LogEvent[]> {
  const id = idFrom('event', sha256(randomUUID()));
  return decideAgain(async () => {
    const state = await loadSession(log, sessionId, how);
    const events = build(state);
    if (events.length === 0) return [];
    return (await log.append({ stream: streamOf('session', sessionId), id, expected: state.seq, events })).events;
  }, surroundings);
}

/**
 * Records what came of an event of a session later.
 * @returns what was recorded, with the class of whoever says it
 * @throws DreamfoldError not_found when the session has no such event; invalid_argument when it is not a call or a message, or
 * when the right answer is empty, or none that the called tool takes; what `recordFeedback` throws
 */
export async function recordFeedbackOn(on: LogInTime, sessionId: string, feedback: FeedbackRecorded): Promise<FeedbackRecorded> {
  let judged: LogEvent | undefined;
  const onEvent = (event: LogEvent): void => {
    if (event.id === feedback.judges) judged ??= event;
  };
  const build = (state: SessionState): NewEvent[] => {
    checkAnswer(state, judgeable(judged, { sessionId, eventId: feedback.judges }), feedback);
    return recordFeedback(state, feedback);
  };
  const [recorded] = await write(on, sessionId, { build, onEvent });
  return recorded!.data as FeedbackRecorded;
}

function checkAnswer(state: SessionState, judged: KnownEvent, { right_answer: answer }: FeedbackRecorded): void {
  if (answer === undefined) return;
  if (judged.type !== 'agent.tool_use') {
    throw new DreamfoldError('invalid_argument', 'A message has no fields, so nothing can be its right answer', {
      path: 'right_answer',
      value: answer,
      remedy: 'Judge the call that was decided on, or say it in the reason.',
    });
  }
  const agent = state.threads.find(({ id }) => id === judged.actor)?.agent;
  const tool = agent === undefined ? undefined : agentOf(state, agent)?.tools.find(({ name }) => name === judged.data.name);
  checkRightAnswer(judged.data.name, tool?.input_schema, answer);
}

function judgeable(judged: LogEvent | undefined, { sessionId, eventId }: { sessionId: string; eventId: string }): KnownEvent {
  if (judged === undefined) {
    throw new DreamfoldError('not_found', `${sessionId} has no event ${eventId}`, {
      path: 'judges',
      value: eventId,
      remedy: 'Find it with `dreamfold show SESSION --json`.',
    });
  }
  const known = knownEvent(judged);
  if (known?.type === 'agent.tool_use' || known?.type === 'agent.message') return known;
  throw new DreamfoldError('invalid_argument', `Feedback judges a call or a message, not ${judged.type}`, {
    path: 'judges',
    value: eventId,
    remedy: 'Name an agent.tool_use or agent.message of the session.',
  });
}
