import { withUsage, type Handlers } from './handlers.ts';
import { answerOfTurn, type Outcome, type SessionState } from './state.ts';

function withOutcome(state: SessionState, id: string, change: (outcome: Outcome) => Outcome): SessionState {
  return state.outcome?.id === id ? { ...state, outcome: change(state.outcome) } : state;
}

/** What the lead is told when its attempt falls short. */
function revisionText(outcome: Outcome, explanation: string): string {
  const attempt = outcome.attempts.at(-1);
  const lines = (attempt?.criteria ?? []).map((c) => `- ${c.id}: ${c.score.toFixed(2)} (${c.reason})`);
  return [`Your answer does not meet the rubric yet: ${explanation}`, ...lines, 'Revise it. Answer with the whole revised text.'].join(
    '\n',
  );
}

function textOfAttempt(state: SessionState, eventId: string): string {
  const answer = answerOfTurn(state);
  return answer?.eventId === eventId ? answer.text : '';
}

export const OUTCOME_HANDLERS: Handlers = {
  'user.define_outcome': (state, { data, id }) => {
    if (state.outcome !== null && state.outcome.status !== 'done') return state;
    const outcome: Outcome = {
      id: data.outcome_id,
      description: data.description,
      rubric: data.rubric.content,
      criteria: data.df_criteria,
      passScore: data.df_pass_score,
      maxIterations: data.max_iterations ?? 3,
      iteration: 0,
      status: 'working',
      evaluationId: null,
      evaluationSeq: 0,
      judged: [],
      attempts: [],
      attemptsBefore: 0,
      result: null,
      explanation: '',
      endSeq: null,
    };
    const content = [{ type: 'text' as const, text: `${data.description}\n\n<rubric>\n${data.rubric.content}\n</rubric>` }];
    return { ...state, outcome, queue: [...state.queue, { id, content }] };
  },
  'span.outcome_evaluation_start': (state, { id, seq, data }) =>
    withOutcome(state, data.outcome_id, (o) => ({
      ...o,
      status: 'evaluating',
      evaluationId: id,
      evaluationSeq: seq,
      judged: [],
      iteration: data.iteration,
    })),
  'outcome.judged': (state, { data }) => {
    const outcome = state.outcome;
    if (outcome === null || outcome.evaluationId !== data.outcome_evaluation_start_id || outcome.status !== 'evaluating') return state;
    const score = { id: data.criterion_id, score: data.score, reason: data.reason, grader: `person:${data.by}` };
    return { ...state, outcome: { ...outcome, judged: [...outcome.judged.filter((s) => s.id !== score.id), score] } };
  },
  'outcome.scored': (state, { data }) =>
    withOutcome(state, data.outcome_id, (o) => ({
      ...o,
      attempts: [
        ...o.attempts,
        {
          iteration: data.iteration,
          eventId: data.attempt_event_id,
          text: textOfAttempt(state, data.attempt_event_id),
          score: data.score,
          criteria: data.criteria,
        },
      ],
    })),
  'span.outcome_evaluation_end': (state, { seq, data }) => {
    const outcome = state.outcome;
    if (outcome === null || outcome.id !== data.outcome_id || outcome.status === 'done') return state;
    const done = data.result !== 'needs_revision';
    const next: Outcome = {
      ...outcome,
      status: done ? 'done' : 'working',
      evaluationId: null,
      iteration: done ? outcome.iteration : data.iteration + 1,
      result: data.result === 'needs_revision' ? null : data.result,
      explanation: data.explanation,
      endSeq: done ? seq : null,
    };
    const spent = withUsage({ ...state, outcome: next }, data.usage, data.df_cost_usd);
    const lead = state.threads[0];
    if (done || lead === undefined) return spent;
    const block = { type: 'text' as const, text: revisionText(outcome, data.explanation) };
    return { ...spent, threads: [{ ...lead, pending: [...lead.pending, block] }, ...state.threads.slice(1)] };
  },
  'outcome.imported': (state, { data }) => ({ ...state, importedScore: data.score }),
};
