import { seeded } from '@dreamfold/core/testing';
import { describe, expect, it } from 'vitest';
import type { FitLesson } from '../fit/choice-fit.ts';
import type { ChoiceTable } from '../fit/choice-table.ts';
import { judgeChange, neededAtLook, type ChangeOfField } from './judge-change.ts';

const values = ['a', 'b', 'c', 'd'];
const NOTHING: ChoiceTable = { cues: new Map(), base: new Map() };

/** Requests with a word of their value, from agents that choose at random. */
function lessons(
  n: number,
  { seed, says = (right) => `word-${right}` }: { seed: number; says?: (right: string, i: number) => string },
): FitLesson[] {
  const random = seeded(seed);
  const pick = (): string => values[Math.floor(random() * values.length)]!;
  return Array.from({ length: n }, (_, i) => {
    const right = pick();
    const words = [says(right, i), `noise${Math.floor(random() * 20)}`, 'please'];
    return { words, right, session: `s${i}`, principal: `p${Math.floor(random() * 60)}`, without: pick() };
  });
}

const judged = (all: readonly FitLesson[], more: Partial<ChangeOfField> = {}): ReturnType<typeof judgeChange> =>
  judgeChange({ tool: 'route', field: 'queue', lessons: all, values, present: NOTHING, writtenFrom: 0, look: 1, ...more });

/** The labels go to other requests. */
function permuted(all: readonly FitLesson[], seed: number): FitLesson[] {
  const random = seeded(seed);
  const rights = all.map(({ right }) => right);
  for (let i = rights.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [rights[i], rights[j]] = [rights[j]!, rights[i]!];
  }
  return all.map((one, i) => ({ ...one, right: rights[i]! }));
}

/** Each principal has one label for all its requests, and agents always choose the first value. */
function oneLabelEach(n: number, seed: number): FitLesson[] {
  const random = seeded(seed);
  const labels = Array.from({ length: 60 }, () => values[Math.floor(random() * values.length)]!);
  return lessons(n, { seed }).map((one) => ({ ...one, right: labels[Number(one.principal.slice(1))]!, without: 'a' }));
}

describe('the guard', () => {
  it('lets through what tells the values apart, at the first look and at the twentieth', () => {
    const all = lessons(200, { seed: 1 });
    expect(judged(all)).toMatchObject({ verdict: 'apply', lessons: 200, look: 1, alpha: 0.005 });
    expect(judged(all, { look: 20 })).toMatchObject({ verdict: 'apply', alpha: 0.01 / 420 });
  });

  it('holds back what was learnt from labels that say nothing, equal or not, in all of forty stores but one', () => {
    let applied = 0;
    for (let seed = 0; seed < 40; seed += 1) {
      const sound = lessons(300, { seed });
      const skewed = sound.map((one, i) => (i % 3 === 0 ? one : { ...one, right: 'a' }));
      if (judged(permuted(seed % 2 === 0 ? sound : skewed, seed + 100)).verdict === 'apply') applied += 1;
    }
    expect(applied).toBeLessThanOrEqual(1);
  });

  it('is not won by guessing differently each time where principals always mean the same', () => {
    let applied = 0;
    for (let seed = 0; seed < 20; seed += 1) if (judged(oneLabelEach(600, seed)).verdict === 'apply') applied += 1;
    expect(applied).toBeLessThanOrEqual(1);
  });

  it('is not taken in by base rates: a memory that only knows which value is frequent wins nothing', () => {
    const all = lessons(400, { seed: 3, says: () => 'hello' }).map((one, i) => (i % 10 < 7 ? { ...one, right: 'a' } : one));
    const report = judged(all);
    expect(report.verdict).toBe('abstain');
    expect(report.base_rates.p).toBeGreaterThan(0.005);
  });

  it('counts a principal once for a value', () => {
    const one = { words: ['word-a'], right: 'a', principal: 'flood', without: 'b' };
    const all = [...lessons(60, { seed: 4 }), ...Array.from({ length: 500 }, (_, i) => ({ ...one, session: `f${i}` }))];
    const { better, worse } = judged(all).without_memory;
    expect(better + worse).toBeLessThanOrEqual(61);
  });

  it('refuses what is worse than what the store tells, on the lessons since it was written', () => {
    const all = lessons(300, { seed: 5 });
    const present: ChoiceTable = { cues: new Map(values.map((value) => [`word-${value}`, new Map([[value, 30]])])), base: new Map() };
    expect(judged(all, { present, writtenFrom: 100 }).verdict).toBe('apply');
    // As many lessons that say otherwise, of requests on which the store was right: what is fitted to all is divided.
    const wrong = lessons(260, { seed: 6 }).map((one, i) => ({ ...one, right: i % 2 === 0 ? 'a' : one.right }));
    const report = judged([...wrong, ...all], { present, writtenFrom: 260 });
    expect(report.present.worse).toBeGreaterThanOrEqual(report.present.better);
  });

  it('is blind where nobody knows what agents choose by themselves', () => {
    expect(judged(lessons(200, { seed: 1 }).map((one) => ({ ...one, without: null }))).verdict).toBe('blind');
  });

  it('says how many better ones would prove a change', () => {
    expect([1, 2, 3, 10].map(neededAtLook)).toEqual([8, 10, 11, 14]);
    for (const look of [1, 2, 3, 10]) {
      expect(2 ** -neededAtLook(look)).toBeLessThan(0.01 / (look * (look + 1)));
      expect(2 ** (1 - neededAtLook(look))).toBeGreaterThanOrEqual(0.01 / (look * (look + 1)));
    }
  });
});
