import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOMS } from './list.ts';
import { mutate, type Mutant } from './mutant.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const all = ROOMS.flatMap(({ mutants }) => mutants);

/** What keeps a mutant from being one, each with its remedy. */
function problemsOf(mutant: Mutant): string[] {
  const { name, file, replace, find, tests } = mutant;
  const problems: string[] = [];
  if (!existsSync(join(ROOT, file))) problems.push(`${name}: ${file} is gone. Name the file in which the guard stands now.`);
  else {
    try {
      mutate(readFileSync(join(ROOT, file), 'utf8'), mutant);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  if (find === replace) problems.push(`${name} changes nothing.`);
  if (tests.length === 0) problems.push(`${name} names no test.`);
  for (const test of tests) {
    if (!existsSync(join(ROOT, test))) problems.push(`${name}: ${test} is gone. Name the test that has to fail now.`);
    // A run has no broker and no hours.
    else if (!/(?<!\.(?:kafka|faults))\.test\.ts$/.test(test))
      problems.push(`${name}: ${test} is not run here. Name a pure test, or a live one.`);
  }
  return problems;
}

test.each(ROOMS)('each guard of $room stands in the sources as the list has it, and its tests are there', ({ mutants }) => {
  expect(mutants.flatMap(problemsOf)).toEqual([]);
});

test('every guard has a name of its own, and no room is left out', () => {
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  for (const { name } of all) expect(name).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
  expect(all.length).toBeGreaterThanOrEqual(80);
  expect(Math.min(...ROOMS.map(({ mutants }) => mutants.length))).toBeGreaterThanOrEqual(5);
});

describe('a mutant', () => {
  const mutant = { ...{ name: 'x', what: '', file: 'a.ts', tests: [] }, find: 'if (a)', replace: '$& $1' };

  test('replaces its text, whatever stands in it', () => {
    expect(mutate('b; if (a) c;', mutant)).toBe('b; $& $1 c;');
  });

  test.each(['b', 'if (a) if (a)'])('is stale where its text does not stand once: %s', (text) => {
    expect(() => mutate(text, mutant)).toThrow(/^x: the text to replace stands [02] times in a\.ts/);
  });
});
