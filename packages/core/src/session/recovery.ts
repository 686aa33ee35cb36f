import { type NewEvent } from '@dreamfold/events';
import { attemptFailed, graderAttemptFailed } from './attempts.ts';
import { openWork } from './decide.ts';
import { errorResult } from './error-result.ts';
import { agentOf, threadOf, type SessionState } from './fold/state.ts';

/**
 * What a process that takes a session over writes first: a request that was under way is asked once more, and shows it;
 * an unsafe tool that was running is not run again.
 */
export function recovered(state: SessionState): NewEvent[] {
  const events: NewEvent[] = [];
  for (const work of openWork(state)) {
    const thread = 'threadId' in work ? threadOf(state, work.threadId) : undefined;
    if (work.kind === 'model' && thread !== undefined) {
      events.push(
        ...attemptFailed(state, {
          threadId: work.threadId,
          startId: work.startId,
          attempt: work.attempt,
          code: 'process_restarted',
          message: 'The process that asked is gone; the answer, if there was one, was not recorded.',
          retryAfterMs: 0,
        }),
      );
    } else if (work.kind === 'tool' && thread !== undefined) {
      const tool = agentOf(state, thread.agent)?.tools.find((t) => t.name === work.name);
      if (tool?.effect !== 'unsafe') continue;
      const message = 'Outcome unknown: the process stopped while this ran, and it is not safe to run twice. Check before you try again.';
      events.push(errorResult(thread.id, work.callId, { code: 'tool_outcome_unknown', message }));
    } else if (work.kind === 'grade' && state.outcome?.criteria.some((c) => c.grader.kind === 'model') === true) {
      const message = 'The process that graded is gone; the attempt is graded once more.';
      const failure = { evaluationId: work.evaluationId, attempt: 1, code: 'process_restarted', message, retryAfterMs: 0 };
      events.push(...graderAttemptFailed(state, failure));
    }
  }
  return events;
}
