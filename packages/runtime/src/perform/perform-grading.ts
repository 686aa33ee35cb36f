import { DreamfoldError, firstCharacters, kindOf, type CriterionScore } from '@dreamfold/events';
import {
  answerOfTurn,
  calledOff,
  graded,
  graderAttemptFailed,
  gradingStopped,
  NO_USAGE,
  spentOf,
  sumOfCost,
  sumOfUsage,
  wallTimeCap,
  type Grading,
  type Outcome,
  type SessionState,
  type Spent,
  type Work,
} from '@dreamfold/core';
import { isRetryable, parseGraderResponse, renderGraderRequest, retryAfterMs, retryDelayMs, type Model } from '@dreamfold/model';
import { ModelAttempt } from './ask-model.ts';
import { scoreOf, type CriterionDefinition, type GraderDefinition, type RubricDefinition } from '../team/definitions.ts';
import type { Completion } from '../session/completion.ts';
import { faultOf } from '../thrown.ts';
import type { Surroundings } from '../time/surroundings.ts';
import { isOutOfTime, withPart, withTimeLimit } from '../time/time-limit.ts';

const MAX_ATTEMPTS = 5;
/** How long the code of one criterion may take. */
const CODE_GRADER_LIMIT_MS = 60_000;
/** What a grader says of one criterion at most. */
const MAX_REASON_CHARS = 4000;

export interface GradingPerformance extends Surroundings {
  /** The rubric in code; null when this program does not have it. */
  rubric: RubricDefinition | null;
  modelFor: (agent: { name: string; model: string | Model }) => Model;
  signal: AbortSignal;
  record: (completion: Completion) => Promise<unknown>;
}

type ModelGrader = Extract<GraderDefinition, { kind: 'model' }>;
type GradeWork = Extract<Work, { kind: 'grade' }>;

/** Judges the newest attempt by the criteria that code and models judge. People's scores are on the log by then. */
export async function performGrading(state: SessionState, work: GradeWork, p: GradingPerformance): Promise<Completion | null> {
  const { outcome } = state;
  if (outcome === null) return null;
  const { evaluationId } = work;
  const grading = await grade(outcome, answerOfTurn(state)?.text ?? '', { work, p, epoch: state.epoch });
  if (!p.signal.aborted) return { cause: `graded/${evaluationId}`, build: (now) => graded(now, grading) };
  const spent = spentOf(grading);
  if (isOutOfTime(p.signal)) {
    const cap = wallTimeCap(state, p.time.now());
    return { cause: `graded/${evaluationId}`, build: (now) => gradingStopped(now, { evaluationId, spent, cap }) };
  }
  if (spent === undefined) return null;
  return { cause: `spent/${evaluationId}`, build: () => calledOff({ actor: 'grader', startId: evaluationId, attempt: 1, spent }) };
}

async function grade(
  outcome: Outcome,
  attempt: string,
  { work, p, epoch }: { work: GradeWork; p: GradingPerformance; epoch: number },
): Promise<Grading> {
  const spent: Spent = { usage: NO_USAGE, costUsd: 0 };
  const scores: CriterionScore[] = [];
  const byModel = new Map<string | Model, CriterionDefinition[]>();
  let at = 'A grader';
  try {
    for (const criterion of outcome.criteria) {
      at = `The grader of ${criterion.id}`;
      const definition = definitionOf(criterion, p.rubric);
      const { grader } = definition;
      if (grader.kind === 'code') {
        const view = { task: outcome.description, text: attempt, iteration: outcome.iteration };
        const verdict = await withPart(p.signal, (controller) =>
          withTimeLimit(() => grader.grade({ ...view, signal: controller.signal }), {
            time: p.time,
            ms: CODE_GRADER_LIMIT_MS,
            controller,
            onTimeout: () => graderTooSlow(criterion.id),
          }),
        );
        scores.push(checkScore(criterion.id, () => scoreOf(definition, verdict)));
      } else if (grader.kind === 'model') byModel.set(grader.model, [...(byModel.get(grader.model) ?? []), definition]);
    }
    for (const [model, criteria] of byModel) {
      at = `The grader of ${criteria.map(({ id }) => id).join(', ')}`;
      scores.push(...(await askGrader(model, criteria, { outcome, attempt, spent, work, p, epoch })));
    }
    return { evaluationId: work.evaluationId, scores, ...spent };
  } catch (error) {
    const { code, message: words, remedy } = faultOf(error);
    const message = code === null ? `${at} failed: ${words}` : `${words.startsWith(at) ? '' : `${at}: `}${words}. ${remedy}`;
    return { evaluationId: work.evaluationId, scores: [], ...spent, failure: shortened(message) };
  }
}

function shortened(words: string): string {
  return firstCharacters(words, MAX_REASON_CHARS).toWellFormed();
}

function graderTooSlow(id: string): DreamfoldError {
  return new DreamfoldError('invalid_rubric', `The grader of ${id} took longer than ${CODE_GRADER_LIMIT_MS} ms`, {
    path: `criteria/${id}`,
    value: CODE_GRADER_LIMIT_MS,
    remedy: 'Have it judge faster, and stop when its signal aborts.',
  });
}

/** @param give what the verdict of a grader in code stands for; of a verdict that is none, nothing can be said */
function checkScore(id: string, give: () => CriterionScore): CriterionScore {
  let score: Partial<CriterionScore> = {};
  try {
    score = give();
  } catch {
    // Nothing, or an object whose fields cannot be read.
  }
  if (typeof score.score === 'number' && score.score >= 0 && score.score <= 1 && typeof score.reason === 'string')
    return { ...(score as CriterionScore), reason: shortened(score.reason) };
  throw new DreamfoldError('invalid_rubric', `The grader of ${id} gave ${kindOf(score.score)} as its score`, {
    path: `criteria/${id}`,
    value: score.score,
    remedy: 'Return true or false, a score from 0 to 1, or { score, reason }.',
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
  /** What the graders of this evaluation have used so far. */
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
  const ids = criteria.map((c) => c.id);
  for (let number = 1; ; number += 1) {
    const asking = new ModelAttempt(p.modelFor({ name: 'grader', model }), p.time);
    try {
      const response = await withPart(p.signal, (controller) => asking.ask(request, { controller }));
      const scores = parseGraderResponse(response, ids);
      add(spent, asking.spent);
      return scores.map((score) => checkScore(score.id, () => ({ ...score, grader: `model:${name}` })));
    } catch (error) {
      if (p.signal.aborted || !isRetryable(error) || number >= MAX_ATTEMPTS) {
        add(spent, asking.spent);
        throw error;
      }
      const { code, message } = error as DreamfoldError;
      const retry = retryDelayMs(number, { retryAfterMs: retryAfterMs(error), random: p.random() });
      const failure = { evaluationId: work.evaluationId, attempt: number, code, message: shortened(message), spent: asking.spent };
      // Each model of the rubric and each process counts its attempts from 1.
      const cause = `grading/${work.evaluationId}/${asked.epoch}/${criteria[0]!.id}/${number}`;
      await p.record({ cause, build: (now) => graderAttemptFailed(now, { ...failure, retryAfterMs: retry }) });
      await p.time.sleep(retry, p.signal);
    }
  }
}

function add(sum: Spent, spent: Spent | undefined): void {
  if (spent === undefined) return;
  sum.usage = sumOfUsage(sum.usage, spent.usage);
  sum.costUsd = sumOfCost(sum.costUsd, spent.costUsd);
}
