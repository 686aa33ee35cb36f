import { DreamfoldError, type CriterionScore, type ModelUsage } from '@dreamfold/events';
import { graded, type Grading, type Outcome, type SessionState, type Work } from '@dreamfold/core';
import { isRetryable, parseGraderResponse, renderGraderRequest, retryAfterMs, retryDelayMs, type Model } from '@dreamfold/model';
import { setTimeout as sleep } from 'node:timers/promises';
import { scoreOf, type CriterionDefinition, type GraderDefinition, type RubricDefinition } from './definitions.ts';
import type { Completion } from './session-processor.ts';

const MAX_ATTEMPTS = 5;

export interface GradingPerformance {
  /** The rubric in code; null when this program does not have it. */
  rubric: RubricDefinition | null;
  modelFor: (agent: { name: string; model: string | Model }) => Model;
  signal: AbortSignal;
  random: () => number;
  record: (completion: Completion) => Promise<unknown>;
}

type ModelGrader = Extract<GraderDefinition, { kind: 'model' }>;
type GradeWork = Extract<Work, { kind: 'grade' }>;

/** Judges the newest attempt by the criteria that code and models judge. People's scores are on the log by then. */
export async function performGrading(state: SessionState, work: GradeWork, p: GradingPerformance): Promise<Completion | null> {
  const { outcome } = state;
  if (outcome === null) return null;
  const grading = await grade(outcome, state.threads[0]?.lastMessage?.text ?? '', { work, p });
  if (p.signal.aborted) return null;
  return { cause: `graded/${work.evaluationId}`, build: (now) => graded(now, grading) };
}

async function grade(outcome: Outcome, attempt: string, { work, p }: { work: GradeWork; p: GradingPerformance }): Promise<Grading> {
  const usage: ModelUsage = { input_tokens: 0, output_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  const scores: CriterionScore[] = [];
  const byModel = new Map<string | Model, CriterionDefinition[]>();
  try {
    for (const criterion of outcome.criteria) {
      const definition = definitionOf(criterion, p.rubric);
      const { grader } = definition;
      if (grader.kind === 'code') {
        const verdict = await grader.grade({ task: outcome.description, text: attempt, iteration: outcome.iteration, signal: p.signal });
        scores.push(checkScore(scoreOf(definition, verdict)));
      } else if (grader.kind === 'model') byModel.set(grader.model, [...(byModel.get(grader.model) ?? []), definition]);
    }
    for (const [model, criteria] of byModel) scores.push(...(await askGrader(model, criteria, { outcome, attempt, usage, work, p })));
    return { evaluationId: work.evaluationId, scores, usage };
  } catch (error) {
    const message = error instanceof DreamfoldError ? `${error.message}. ${error.remedy}` : `A grader failed: ${String(error)}`;
    return { evaluationId: work.evaluationId, scores: [], usage, failure: message };
  }
}

function checkScore(score: CriterionScore): CriterionScore {
  if (score.score >= 0 && score.score <= 1) return score;
  throw new DreamfoldError('invalid_rubric', `The grader of ${score.id} gave ${score.score}`, {
    path: `criteria/${score.id}`,
    value: score.score,
    remedy: 'Return a boolean, or a score from 0 to 1.',
  });
}

function definitionOf(criterion: Outcome['criteria'][number], rubric: RubricDefinition | null): CriterionDefinition {
  if (criterion.grader.kind === 'person') return { ...criterion, grader: { kind: 'person' } };
  const definition = rubric?.criteria.find((c) => c.id === criterion.id);
  if (definition !== undefined) return definition;
  // A model that is known by name can grade without the program that defined the rubric.
  if (criterion.grader.kind === 'model') return { ...criterion, grader: { kind: 'model', model: criterion.grader.model } };
  throw new DreamfoldError('invalid_rubric', `This program has no code grader for the criterion ${criterion.id}`, {
    path: `criteria/${criterion.id}`,
    value: criterion.grader.name,
    remedy: 'Resume the session with the rubric that it was started with.',
  });
}

interface GraderAsked {
  outcome: Outcome;
  attempt: string;
  usage: ModelUsage;
  work: GradeWork;
  p: GradingPerformance;
}

async function askGrader(
  model: ModelGrader['model'],
  criteria: readonly CriterionDefinition[],
  asked: GraderAsked,
): Promise<CriterionScore[]> {
  const { outcome, attempt, usage, work, p } = asked;
  const name = typeof model === 'string' ? model : 'custom';
  const request = renderGraderRequest({
    model: name,
    rubric: outcome.rubric,
    criteria,
    task: outcome.description,
    attempt,
    iteration: outcome.iteration,
  });
  for (let number = 1; ; number += 1) {
    try {
      const response = await p.modelFor({ name: 'grader', model }).respond(request, { signal: p.signal });
      usage.input_tokens += response.usage.input_tokens;
      usage.output_tokens += response.usage.output_tokens;
      usage.cache_creation_input_tokens += response.usage.cache_creation_input_tokens;
      usage.cache_read_input_tokens += response.usage.cache_read_input_tokens;
      const scores = parseGraderResponse(
        response,
        criteria.map((c) => c.id),
      );
      return scores.map((score) => ({ ...score, grader: `model:${name}` }));
    } catch (error) {
      if (p.signal.aborted || !isRetryable(error) || number >= MAX_ATTEMPTS) throw error;
      const retry = retryDelayMs(number, { retryAfterMs: retryAfterMs(error), random: p.random() });
      await p.record(failedAttempt(work.evaluationId, number, { error: error as DreamfoldError, retry }));
      await sleep(retry, undefined, { signal: p.signal });
    }
  }
}

function failedAttempt(evaluationId: string, attempt: number, { error, retry }: { error: DreamfoldError; retry: number }): Completion {
  return {
    cause: `grading/${evaluationId}/${attempt}`,
    build: () => [
      {
        type: 'model.attempt_failed',
        actor: 'grader',
        class: 'owner',
        data: { model_request_start_id: evaluationId, attempt, code: error.code, message: error.message, retry_after_ms: retry },
      },
    ],
  };
}
