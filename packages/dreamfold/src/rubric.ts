import type { z } from 'zod';
import { Criterion, DreamfoldError } from '@dreamfold/events';
import type { Model } from '@dreamfold/model';
import type { AttemptView, CodeVerdict, CriterionDefinition, GraderDefinition, RubricDefinition } from '@dreamfold/runtime';

interface CriterionBase {
  /** Lower-case letters, digits, - and _. */
  id: string;
  /** What is asked, in words that a person and a model can judge by. */
  ask: string;
  /** Above 0; default 1. */
  weight?: number;
}

/** The ways to judge a criterion. */
interface Judges {
  /** Code judges: it gives true or false, a score from 0 to 1, or a score with its reason. It may take a minute. */
  check: (attempt: AttemptView) => CodeVerdict | Promise<CodeVerdict>;
  /** A zod schema judges: the whole attempt is JSON that fits it, or scores 0. */
  schema: z.ZodType;
  /** A model judges by `ask` and the text of the rubric: a model, or the name of one. It gives a score from 0 to 1 and a reason. */
  model: string | Model;
  /** A person judges: the session waits (`requires_action`) until somebody gives a score, with `judge` or `dreamfold grade`. */
  person: true;
}

type JudgedBy<Way extends keyof Judges> = Pick<Judges, Way> & { [Other in Exclude<keyof Judges, Way>]?: never };

/** One criterion, judged in exactly one way: `check`, `schema`, `model` or `person`. */
export type CriterionOptions = CriterionBase & (JudgedBy<'check'> | JudgedBy<'schema'> | JudgedBy<'model'> | JudgedBy<'person'>);

export interface RubricOptions {
  /** What a good result is, for the model that works and the model that grades. */
  text?: string;
  criteria: readonly CriterionOptions[];
  /** The weighted score that is enough. Default 1: every criterion fully met. */
  passScore?: number;
  /** Attempts at most, 1 to 20. Default 3. */
  maxIterations?: number;
}

/**
 * What a result is judged by. Attempts go back with scores and reasons until the pass score is reached or attempts run out;
 * the best one is returned.
 * @throws DreamfoldError invalid_rubric
 */
export function rubric(options: RubricOptions): RubricDefinition {
  if (typeof options !== 'object' || options === null) throw invalid('options', options, 'are none');
  const passScore = options.passScore ?? 1;
  const maxIterations = options.maxIterations ?? 3;
  if (!(passScore >= 0 && passScore <= 1)) throw invalid('passScore', passScore, 'is not a number from 0 to 1');
  if (!Number.isInteger(maxIterations) || maxIterations < 1 || maxIterations > 20) {
    throw invalid('maxIterations', maxIterations, 'is not a whole number from 1 to 20');
  }
  if (!Array.isArray(options.criteria) || options.criteria.length === 0) throw invalid('criteria', options.criteria, 'is empty');
  const criteria = (options.criteria as readonly CriterionOptions[]).map(criterionOf);
  for (const [i, { id }] of criteria.entries()) {
    if (criteria.findIndex((c) => c.id === id) !== i) throw invalid(`criteria/${i}/id`, id, 'stands twice');
  }
  return { name: 'rubric', text: options.text ?? '', criteria, passScore, maxIterations };
}

function criterionOf(options: CriterionOptions, index: number): CriterionDefinition {
  if (typeof options !== 'object' || options === null) throw invalid(`criteria/${index}`, options, 'is no criterion');
  const grader = graderOf(options, index);
  const criterion = { id: options.id, ask: options.ask, weight: options.weight ?? 1 };
  const checked = Criterion.omit({ grader: true }).safeParse(criterion);
  if (checked.success) return { ...criterion, grader };
  const issue = checked.error.issues[0]!;
  throw invalid(`criteria/${index}/${issue.path.join('/')}`, issue.input, issue.message);
}

function graderOf(options: CriterionOptions, index: number): GraderDefinition {
  const ways = ['check', 'schema', 'model', 'person'].filter((way) => way in options);
  if (ways.length !== 1) throw invalid(`criteria/${index}`, ways, 'needs exactly one of check, schema, model and person');
  const odd = (what: string): DreamfoldError => invalid(`criteria/${index}/${ways[0]}`, options, what);
  if ('check' in options && typeof options.check !== 'function') throw odd('is no function');
  if ('schema' in options && typeof options.schema?.safeParse !== 'function') throw odd('is no zod schema');
  if ('model' in options && typeof options.model !== 'string' && typeof options.model?.respond !== 'function') throw odd('is no model');
  if (options.check !== undefined) return { kind: 'code', name: options.check.name || options.id, grade: options.check };
  const { schema, model } = options;
  if (schema !== undefined) return { kind: 'code', name: 'schema', grade: ({ text }) => fits(schema, text) };
  if (model !== undefined) return { kind: 'model', model };
  return { kind: 'person' };
}

function fits(schema: z.ZodType, text: string): CodeVerdict {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { score: 0, reason: `is not JSON: ${(error as Error).message}` };
  }
  const result = schema.safeParse(value);
  if (result.success) return { score: 1, reason: 'fits the schema' };
  const issue = result.error.issues[0]!;
  return { score: 0, reason: `${issue.path.join('.') || 'value'}: ${issue.message}` };
}

const EXAMPLE =
  "rubric({ criteria: [{ id: 'greets', ask: 'The reply greets the customer.', check: ({ text }) => text.startsWith('Dear') }] })";

function invalid(path: string, value: unknown, what: string): DreamfoldError {
  return new DreamfoldError('invalid_rubric', `The rubric's ${path} ${what}`, {
    path,
    value,
    remedy: `Correct it. A whole rubric: ${EXAMPLE}`,
  });
}
