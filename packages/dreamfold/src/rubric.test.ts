import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { rubric, type CriterionOptions } from './rubric.ts';

const check = (): boolean => true;
const criterion = (options: object): CriterionOptions => ({ id: 'good', ask: 'Is it good?', ...options }) as CriterionOptions;

describe('a criterion', () => {
  test.each([{}, { check, person: true }, { check, model: 'scripted' }, { schema: z.string(), person: true }])(
    'is judged in exactly one way, not by %j',
    (ways) => {
      expect(() => rubric({ criteria: [criterion(ways)] })).toThrow(
        expect.objectContaining({ code: 'invalid_rubric', path: 'criteria/0' }),
      );
    },
  );

  test('stands once', () => {
    const twice = (): unknown => rubric({ criteria: [criterion({ check }), criterion({ person: true })] });
    expect(twice).toThrow(expect.objectContaining({ code: 'invalid_rubric', path: 'criteria/1/id' }));
  });

  test('with a schema is met by JSON that fits it', async () => {
    const { grader } = rubric({ criteria: [criterion({ schema: z.object({ queue: z.string() }) })] }).criteria[0]!;
    const score = async (text: string): Promise<unknown> => {
      if (grader.kind !== 'code') throw new TypeError(grader.kind);
      return grader.grade({ task: '', text, iteration: 0, signal: new AbortController().signal });
    };
    expect(await score('{"queue":"billing"}')).toMatchObject({ score: 1 });
    expect(await score('{"queue":7}')).toMatchObject({ score: 0, reason: expect.stringMatching(/^queue: /) as string });
    expect(await score('billing')).toMatchObject({ score: 0, reason: expect.stringMatching(/^is not JSON: /) as string });
  });
});
