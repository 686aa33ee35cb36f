import { z } from 'zod';
import { checked, Criterion, DreamfoldError, functionOf, optionsOf, withMethods } from '@dreamfold/events';
import type { Model } from '@dreamfold/model';
import {
  MaxIterations,
  ModelOrName,
  PassScore,
  type AttemptView,
  type CodeVerdict,
  type CriterionDefinition,
  type GraderDefinition,
  type RubricDefinition,
} from '@dreamfold/runtime';

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
  const { text = '', criteria: given, passScore = 1, maxIterations = 3 } = checked(Options, options, ASKED);
  const criteria = given.map(criterionOf);
  for (const [i, { id }] of criteria.entries()) {
    if (criteria.findIndex((c) => c.id === id) !== i) throw invalid(`criteria/${i}/id`, id, 'stands twice');
  }
  return { name: 'rubric', text, criteria, passScore, maxIterations };
}

const EXAMPLE =
  "rubric({ criteria: [{ id: 'greets', ask: 'The reply greets the customer.', check: ({ text }) => text.startsWith('Dear') }] })";
const REMEDY = `Correct it. A whole rubric: ${EXAMPLE}`;
const ASKED = { what: 'The rubric', code: 'invalid_rubric', remedy: REMEDY } as const;

type AnyCriterion = CriterionBase & Partial<Judges>;

/** With as many criteria as there may be, each as long as it may be, the event that asks for the outcome holds so much. */
const MAX_TEXT_CHARS = 50_000;
const MAX_CRITERIA = 50;

const { id, ask, weight } = Criterion.shape;
const AnyCriterion = optionsOf<AnyCriterion>({
  id,
  ask,
  weight: weight.optional(),
  check: functionOf<Judges['check']>().optional(),
  schema: withMethods<z.ZodType>('a zod schema', 'safeParse').optional(),
  model: ModelOrName.optional(),
  person: z.literal(true).optional(),
});
const Options = optionsOf<Omit<RubricOptions, 'criteria'> & { criteria: readonly AnyCriterion[] }>({
  text: z.string().max(MAX_TEXT_CHARS).optional(),
  criteria: z.array(AnyCriterion).min(1).max(MAX_CRITERIA),
  passScore: PassScore.optional(),
  maxIterations: MaxIterations.optional(),
});

function criterionOf(given: AnyCriterion, index: number): CriterionDefinition {
  return { id: given.id, ask: given.ask, weight: given.weight ?? 1, grader: graderOf(given, index) };
}

function graderOf(given: AnyCriterion, index: number): GraderDefinition {
  const { check, schema, model, person } = given;
  const ways = Object.entries({ check, schema, model, person }).flatMap(([way, value]) => (value === undefined ? [] : [way]));
  if (ways.length !== 1) throw invalid(`criteria/${index}`, ways, 'needs exactly one of check, schema, model and person');
  if (check !== undefined) return { kind: 'code', name: check.name || given.id, grade: check };
  if (schema !== undefined) return { kind: 'code', name: 'schema', grade: ({ text }) => fits(schema, text) };
  return model === undefined ? { kind: 'person' } : { kind: 'model', model };
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

function invalid(path: string, value: unknown, what: string): DreamfoldError {
  return new DreamfoldError('invalid_rubric', `The rubric's ${path} ${what}`, { path, value, remedy: REMEDY });
}
