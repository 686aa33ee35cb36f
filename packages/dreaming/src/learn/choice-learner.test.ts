import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newLearner, teach, type ChoiceLearner, type Lesson } from './choice-learner.ts';
import { isDue, proposeChoices } from './propose-choices.ts';
import { hasQuorum, supportOf } from './quorum.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
const options = Array.from({ length: 6 }, (_, i) => `queue${i}`);

const whose = { authenticated: true, labeller: 'desk', without: null } as const;

function learnt(lessons: readonly Lesson[]): ChoiceLearner {
  const learner = newLearner('route', 'queue');
  for (const lesson of lessons) teach(learner, lesson);
  return learner;
}

/** A session is of one principal. */
const lesson = fc
  .record({ session: fc.nat(40), principal: fc.nat(12), right: fc.constantFrom(...options), words: fc.array(fc.nat(30), { maxLength: 8 }) })
  .map(({ session: number, principal, right, words }, i = 0): Lesson => {
    const session = `s${principal}-${number}`;
    const request = words.map((word) => `w${String.fromCodePoint(97 + (word % 26), 97 + Math.floor(word / 26))}`).join(' ');
    return {
      ...whose,
      session,
      principal: `p${principal}`,
      right,
      request,
      options,
      evidence: [`session/${session}#${i + 1}`],
    };
  });

describe('what is learnt', () => {
  it('is the same whenever proposals are made in between, and however the lessons are cut into dreams', () => {
    fc.assert(
      fc.property(fc.array(lesson, { maxLength: 60 }), fc.array(fc.nat(60), { maxLength: 6 }), (lessons, cuts) => {
        const often = newLearner('route', 'queue');
        for (const [i, one] of lessons.entries()) {
          teach(often, one);
          if (cuts.includes(i)) proposeChoices([often], sha256);
        }
        expect(proposeChoices([often], sha256)).toEqual(proposeChoices([learnt(lessons)], sha256));
      }),
      { numRuns: 300 },
    );
  });

  it('carries decisions for every cue that show its quorum, all of them right', () => {
    fc.assert(
      fc.property(fc.array(lesson, { minLength: 20, maxLength: 80 }), (lessons) => {
        for (const { insight, witnesses } of proposeChoices([learnt(lessons)], sha256)) {
          for (const { phrase } of insight.cues) {
            const cited = witnesses.get(phrase)!;
            expect(hasQuorum(supportOf(cited))).toBe(true);
            expect(cited.every(({ right }) => right === insight.value)).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps its ids while cues come and go', () => {
    const rows = (n: number): Lesson[] =>
      Array.from({ length: n }, (_, i) => ({
        ...whose,
        session: `s${i}`,
        principal: `p${i % 9}`,
        right: options[i % 3]!,
        request: `about${'abc'[i % 3]} ${i > 30 ? `more${'abc'[i % 3]}` : 'x'}`,
        options,
        evidence: ['session/s#1'],
      }));
    const ids = (n: number): string[] => proposeChoices([learnt(rows(n))], sha256).map(({ insight }) => insight.id);
    expect(ids(60)).toEqual(expect.arrayContaining(ids(30)));
  });
});

it('proposals are due when what was read pays for the look, so they grow rarer', () => {
  const learner = newLearner('route', 'queue');
  let looks = 0;
  for (let i = 0; i < 2000; i += 1) {
    const request = Array.from({ length: 8 }, (_, k) => `w${String.fromCodePoint(97 + (i % 26), 97 + ((i >> 5) % 26), 97 + k)}`).join(' ');
    teach(learner, { ...whose, session: `s${i}`, principal: `p${i % 50}`, right: options[i % 6]!, request, options, evidence: [] });
    if (!isDue([learner])) continue;
    looks += 1;
    proposeChoices([learner], sha256);
    expect(isDue([learner])).toBe(false);
  }
  expect(looks).toBeGreaterThan(5);
  expect(looks).toBeLessThan(300);
});

describe('400 sessions of 20 colluders', () => {
  /** Requests of three words of their queue and three of everybody's, from 200 principals. */
  const honest = Array.from({ length: 1200 }, (_, i): Lesson => {
    const queue = i % options.length;
    const own = [0, 1, 2].map((k) => `topic${'abcdef'[queue]}${'abcdefgh'[(i * 7 + k * 3) % 8]}`);
    const shared = [0, 1, 2].map((k) => `common${'abcdefghij'[(i * 5 + k) % 10]}`);
    const request = [...own, ...shared].join(' ');
    return { ...whose, session: `h${i}`, principal: `honest${(i * 13) % 200}`, right: options[queue]!, request, options, evidence: [] };
  });
  const poison = Array.from({ length: 400 }, (_, i): Lesson => {
    const source = honest[(i * options.length) % honest.length]!;
    return { ...source, session: `m${i}`, principal: `mallory${i % 20}`, right: options[1]! };
  });
  /** Routes by the points of the cues that a request says. */
  const accuracyOn = (lessons: readonly Lesson[], queue: string): number => {
    const drafts = proposeChoices([learnt(lessons)], sha256);
    const rows = honest.filter(({ right }) => right === queue);
    const right = rows.filter(({ request }) => {
      const said = new Set(request.split(' '));
      const scores = new Map(options.map((option) => [option, 0]));
      for (const { insight } of drafts) {
        for (const { phrase, points } of insight.cues) if (said.has(phrase)) scores.set(insight.value, scores.get(insight.value)! + points);
      }
      return [...scores].toSorted(([, a], [, b]) => b - a)[0]![0] === queue;
    });
    return right.length / rows.length;
  };

  it.each<[string, (a: readonly Lesson[], b: readonly Lesson[]) => Lesson[]]>([
    ['at the end', (a, b) => [...a, ...b]],
    ['at the beginning', (a, b) => [...b, ...a]],
    ['in between', (a, b) => a.flatMap((one, i) => (i % 3 === 0 && b[i / 3] !== undefined ? [one, b[i / 3]!] : [one]))],
  ])('do not flip a queue: %s', (_where, mixed) => {
    expect(accuracyOn(honest, options[0]!)).toBeGreaterThan(0.95);
    expect(accuracyOn(mixed(honest, poison), options[0]!)).toBeGreaterThan(0.9);
  });
});
