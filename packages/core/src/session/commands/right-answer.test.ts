import { isDreamfoldError, type JsonSchema } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { checkRightAnswer } from './right-answer.ts';

const schema: JsonSchema = {
  type: 'object',
  properties: {
    reason: { type: 'string', enum: ['broken', 'late', 'unwanted'] },
    order: { type: 'string' },
    cents: { type: 'integer', exclusiveMinimum: 0 },
    share: { type: 'number' },
    gift: { type: 'boolean' },
    level: { enum: [1, 2] },
    kind: { const: 'refund' },
    desk: { anyOf: [{ type: 'string', enum: ['billing', 'returns'] }, { type: 'null' }] },
    either: { type: ['string', 'number'] },
    loose: {},
    never: false,
  },
};

/** `passes`, or the path and the remedy of the error. */
function checked(answer: Record<string, string | number | boolean>, of: JsonSchema | null = schema): string {
  try {
    checkRightAnswer('refund', of ?? undefined, answer);
    return 'passes';
  } catch (error) {
    if (!isDreamfoldError(error, 'invalid_argument')) throw error;
    return `${error.path}: ${error.remedy}`;
  }
}

describe('a right answer', () => {
  it.each<Record<string, string | number | boolean>>([
    { reason: 'late' },
    { order: 'A-17', cents: 5, share: 0.5, gift: false },
    { level: 2, kind: 'refund', desk: 'billing', either: 3, loose: true },
    { either: 'x' },
  ])('passes: %j', (answer) => {
    expect(checked(answer)).toBe('passes');
  });

  it.each<[Record<string, string | number | boolean>, RegExp]>([
    [{}, /^right_answer: Name a field of refund/],
    [{ raeson: 'late' }, /^right_answer\/raeson: Did you mean "reason"\? Its fields: reason, order, /],
    [{ reason: 'late', x: 1 }, /^right_answer\/x: Its fields: reason, /],
    [{ reason: 'lat' }, /^right_answer\/reason: Did you mean "late"\? Give one of its values: "broken", "late", "unwanted"\./],
    [{ reason: 'anything else' }, /^right_answer\/reason: Give one of its values: "broken"/],
    [{ reason: 1 }, /^right_answer\/reason/],
    [{ order: 17 }, /^right_answer\/order: Give a value of the type/],
    [{ cents: 1.5 }, /^right_answer\/cents/],
    [{ gift: 'yes' }, /^right_answer\/gift/],
    [{ level: 3 }, /^right_answer\/level/],
    [{ kind: 'refunds' }, /^right_answer\/kind: Did you mean "refund"/],
    [{ desk: 'biling' }, /^right_answer\/desk: Did you mean "billing"\? Give one of its values: "billing", "returns"/],
    [{ never: 1 }, /^right_answer\/never/],
    [{ constructor: 'x' }, /^right_answer\/constructor/],
  ])('is refused: %j', (answer, why) => {
    expect(checked(answer)).toMatch(why);
  });

  it('may name other fields where the tool says that it takes them', () => {
    const loose = { type: 'object', properties: { reason: { type: 'string' } }, additionalProperties: { type: 'string' } };
    expect(checked({ order: 'A-17' }, loose)).toBe('passes');
    expect(checked({ constructor: 'x' }, { ...loose, additionalProperties: {} })).toBe('passes');
    expect(checked({ order: 17 }, loose)).toMatch(/^right_answer\/order: Give a value of the type/);
    expect(checked({ order: 'A-17' }, { ...loose, additionalProperties: false })).toMatch(/^right_answer\/order/);
  });

  it('passes where the tool does not say which fields it has', () => {
    expect(checked({ queue: 'x' }, { type: 'object' })).toBe('passes');
    expect(checked({ queue: 'x' }, null)).toBe('passes');
    expect(checked({}, null)).toMatch(/^right_answer/);
  });
});
