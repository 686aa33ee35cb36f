import { type CriterionScore, type EventData, type ModelUsage, type NewEvent, newEvent } from '@dreamfold/events';
import { calledOff, spentOf } from './attempts.ts';
import { answerOfTurn, type SessionState } from './fold/state.ts';

export interface Grading {
  evaluationId: string;
  /** Scores of the code and model graders; people's are on the log. */
  scores: readonly CriterionScore[];
  usage: ModelUsage;
  /** null when a grader's model has no price. */
  costUsd: number | null;
  /** Set when a grader could not judge at all. */
  failure?: string;
}

/** An evaluation is complete: the attempt is scored, and is final, or goes back with the reasons. */
export function graded(state: SessionState, grading: Grading): NewEvent[] {
  const { outcome } = state;
  if (outcome === null || outcome.status !== 'evaluating' || outcome.evaluationId !== grading.evaluationId)
    return calledOff({ actor: 'grader', startId: grading.evaluationId, attempt: 1, spent: spentOf(grading) });
  const end = (result: EventData['span.outcome_evaluation_end']['result'], explanation: string): NewEvent =>
    newEvent('span.outcome_evaluation_end', 'system', {
      outcome_evaluation_start_id: grading.evaluationId,
      outcome_id: outcome.id,
      iteration: outcome.iteration,
      result,
      explanation,
      usage: grading.usage,
      ...(grading.costUsd === 0 ? {} : { df_cost_usd: grading.costUsd }),
    });
  if (grading.failure !== undefined) return [end('failed', grading.failure)];
  const scores = [...grading.scores, ...outcome.judged];
  const criteria = outcome.criteria.flatMap(({ id }) => scores.find((s) => s.id === id) ?? []);
  const missing = outcome.criteria.filter(({ id }) => !criteria.some((c) => c.id === id)).map(({ id }) => id);
  if (missing.length > 0)
    return [end('failed', `No grader scored ${missing.join(', ')}. Resume with the rubric that the session began with.`)];
  const score = weightedScore(outcome.criteria, criteria);
  const satisfied = score >= outcome.passScore;
  const last = outcome.iteration + 1 >= outcome.maxIterations;
  const answers = [...outcome.attempts.slice(outcome.attemptsBefore).map((attempt) => attempt.score), score];
  const words = `score ${score.toFixed(2)} of ${outcome.passScore.toFixed(2)} asked`;
  return [
    newEvent('outcome.scored', 'system', {
      outcome_id: outcome.id,
      iteration: outcome.iteration,
      attempt_event_id: answerOfTurn(state)?.eventId ?? '',
      score,
      criteria,
    }),
    satisfied
      ? end('satisfied', words)
      : last
        ? end('max_iterations_reached', `${words}; the best of ${answers.length} attempts has ${Math.max(...answers).toFixed(2)}`)
        : end('needs_revision', words),
  ];
}

/** Mean of the scores by weight, rounded to 1e-9 so that sums of weights do not miss a pass mark by a rounding error. */
function weightedScore(criteria: readonly { id: string; weight: number }[], scores: readonly CriterionScore[]): number {
  const total = criteria.reduce((sum, c) => sum + c.weight, 0);
  const sum = criteria.reduce((s, c) => s + c.weight * (scores.find((x) => x.id === c.id)?.score ?? 0), 0);
  return Math.min(1, Math.round((sum / total) * 1e9) / 1e9);
}
