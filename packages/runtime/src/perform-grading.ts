import { DreamfoldError, firstCharacters, type CriterionScore, type ModelUsage, type NewEvent } from '@dreamfold/events';
import { graded, type Grading, type Outcome, type SessionState, type Work } from '@dreamfold/core';
import { isRetryable, parseGraderResponse, renderGraderRequest, retryAfterMs, retryDelayMs, type Model } from '@dreamfold/model';
import { setTimeout as sleep } from 'node:timers/promises';
import { askModel } from './ask-model.ts';
import { scoreOf, type CriterionDefinition, type GraderDefinition, type RubricDefinition } from './definitions.ts';
import { costOf } from './perform-model.ts';
import type { Completion } from './completion.ts';
import { faultOf } from './thrown.ts';
import { withTimeLimit } from './time-limit.ts';

const MAX_ATTEMPTS = 5;
/** How long the code of one criterion may take. */
const CODE_GRADER_LIMIT_MS = 60_000;
/** What a grader says of one criterion at most. */
const MAX_REASON_CHARS = 4000;

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
  const grading = await grade(outcome, state.threads[0]?.lastMessage?.text ?? '', { work, p, epoch: state.epoch });
  if (p.signal.aborted) return null;
  return { cause: `graded/${work.evaluationId}`, build: (now) => graded(now, grading) };
}

async function grade(
  outcome: Outcome,
  attempt: string,
  { work, p, epoch }: { work: GradeWork; p: GradingPerformance; epoch: number },
): Promise<Grading> {
  const usage: ModelUsage = { input_tokens: 0, output_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  const spent: Spent = { usage, costUsd: 0 };
  const scores: CriterionScore[] = [];
  const byModel = new Map<string | Model, CriterionDefinition[]>();
  try {
    for (const criterion of outcome.criteria) {
      const definition = definitionOf(criterion, p.rubric);
      const { grader } = definition;
      if (grader.kind === 'code') {
        const view = { task: outcome.description, text: attempt, iteration: outcome.iteration, signal: p.signal };
        const verdict = await withTimeLimit(() => grader.grade(view), {
          ms: CODE_GRADER_LIMIT_MS,
          signal: p.signal,
          onTimeout: () => graderTooSlow(criterion.id),
        });
        scores.push(checkScore(scoreOf(definition, verdict)));
      } else if (grader.kind === 'model') byModel.set(grader.model, [...(byModel.get(grader.model) ?? []), definition]);
    }
    for (const [model, criteria] of byModel)
      scores.push(...(await askGrader(model, criteria, { outcome, attempt, spent, work, p, epoch })));
    return { evaluationId: work.evaluationId, scores, ...spent };
  } catch (error) {
    const { code, message: words, remedy } = faultOf(error);
    const message = code === null ? `A grader failed: ${words}` : `${words}. ${remedy}`;
    return { evaluationId: work.evaluationId, scores: [], ...spent, failure: firstCharacters(message, MAX_REASON_CHARS) };
  }
}

function graderTooSlow(id: string): DreamfoldError {
  return new DreamfoldError('invalid_rubric', `The grader of ${id} took longer than ${CODE_GRADER_LIMIT_MS} ms`, {
    path: `criteria/${id}`,
    value: CODE_GRADER_LIMIT_MS,
    remedy: 'Have it judge faster, and stop when its signal aborts.',
  });
}

function checkScore(score: CriterionScore): CriterionScore {
  if (typeof score.score === 'number' && score.score >= 0 && score.score <= 1 && typeof score.reason === 'string')
    return { ...score, reason: firstCharacters(score.reason, MAX_REASON_CHARS) };
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

/** What the graders of one evaluation have used so far. */
interface Spent {
  usage: ModelUsage;
  /** null when a model has no price. */
  costUsd: number | null;
}

interface GraderAsked {
  outcome: Outcome;
  attempt: string;
  spent: Spent;
  work: GradeWork;
  p: GradingPerformance;
  /** Of this process's claim: it counts its own attempts. */
  epoch: number;
}

async function askGrader(
  model: ModelGrader['model'],
  criteria: readonly CriterionDefinition[],
  asked: GraderAsked,
): Promise<CriterionScore[]> {
  const { outcome, attempt, spent, work, p } = asked;
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
      const grader = p.modelFor({ name: 'grader', model });
      const response = await askModel(grader, { request, call: { signal: p.signal } });
      add(spent, response.usage, costOf(response.usage, grader.price));
      const scores = parseGraderResponse(
        response,
        criteria.map((c) => c.id),
      );
      return scores.map((score) => ({ ...score, grader: `model:${name}` }));
    } catch (error) {
      if (p.signal.aborted || !isRetryable(error) || number >= MAX_ATTEMPTS) throw error;
      const retry = retryDelayMs(number, { retryAfterMs: retryAfterMs(error), random: p.random() });
      // Each model of the rubric and each process counts its attempts from 1.
      const cause = `grading/${work.evaluationId}/${asked.epoch}/${criteria[0]!.id}/${number}`;
      await p.record({
        cause,
        build: (now) => failedAttempt(now, work.evaluationId, { attempt: number, error: error as DreamfoldError, retry }),
      });
      await sleep(retry, undefined, { signal: p.signal });
    }
  }
}

function add(spent: Spent, usage: ModelUsage, costUsd: number | null): void {
  spent.usage.input_tokens += usage.input_tokens;
  spent.usage.output_tokens += usage.output_tokens;
  spent.usage.cache_creation_input_tokens += usage.cache_creation_input_tokens;
  spent.usage.cache_read_input_tokens += usage.cache_read_input_tokens;
  spent.costUsd = spent.costUsd === null || costUsd === null ? null : spent.costUsd + costUsd;
}

function failedAttempt(
  state: SessionState,
  evaluationId: string,
  { attempt, error, retry }: { attempt: number; error: DreamfoldError; retry: number },
): NewEvent[] {
  if (state.outcome?.evaluationId !== evaluationId) return [];
  const data = {
    model_request_start_id: evaluationId,
    attempt,
    code: error.code,
    message: firstCharacters(error.message, MAX_REASON_CHARS),
    retry_after_ms: retry,
  };
  return [{ type: 'model.attempt_failed', actor: 'grader', class: 'owner', data }];
}
