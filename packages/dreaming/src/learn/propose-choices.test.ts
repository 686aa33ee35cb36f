import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newLearner, teach, type ChoiceLearner } from './choice-learner.ts';
import { proposeChoices, STALE_LESSONS } from './propose-choices.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** So many principals asked for something, each once, and this was the right queue. */
type Asked = readonly [count: number, request: string, right: string];

function learnt(...asked: readonly Asked[]): ChoiceLearner {
  const learner = newLearner('route', 'queue');
  let n = 0;
  for (const [count, request, right] of asked) {
    for (let i = 0; i < count; i += 1) {
      n += 1;
      const whose = { session: `s${n}`, principal: `p${n}`, authenticated: true, labeller: 'desk' } as const;
      teach(learner, { ...whose, without: null, right, request, options: ['billing', 'technical'], evidence: [`session/s${n}#9`] });
    }
  }
  return learner;
}

function cuesOf(learner: ChoiceLearner): string[] {
  const choices = proposeChoices([learner], sha256).map(({ insight }) => insight);
  return choices.flatMap(({ value, cues }) => cues.map(({ phrase }) => `${value}: ${phrase}`)).sort();
}

describe('a cue', () => {
  it('is a word that goes with a value', () => {
    expect(cuesOf(learnt([6, 'refund', 'billing'], [6, 'crash', 'technical']))).toEqual(['billing: refund', 'technical: crash']);
  });

  it('may be what most of all say, where it goes with its value', () => {
    expect(cuesOf(learnt([8, 'cracked', 'billing'], [4, 'crash', 'technical']))).toEqual(['billing: cracked', 'technical: crash']);
  });

  it('is no word that everybody says, however unequal the values are', () => {
    expect(cuesOf(learnt([20, 'please refund', 'billing'], [8, 'please crash', 'technical']))).toEqual([
      'billing: refund',
      'technical: crash',
    ]);
  });

  it('is no word that goes with a value as chance would have it', () => {
    const asked = (billing: number, technical: number): string[] =>
      cuesOf(
        learnt(
          [20 - billing, 'refund', 'billing'],
          [20 - technical, 'crash', 'technical'],
          [technical, 'hello crash', 'technical'],
          [billing, 'hello', 'billing'],
        ),
      );
    expect(asked(9, 1)).toContain('billing: hello');
    expect(asked(7, 5)).not.toContain('billing: hello');
  });

  it('is no word that nobody has said for a long time', () => {
    const learner = learnt([6, 'refund', 'billing'], [6, 'crash', 'technical']);
    // Of other words, by other people.
    learner.lessons += STALE_LESSONS;
    expect(cuesOf(learner)).toEqual([]);
  });
});
