import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOMS } from './list.ts';
import { mutate } from './mutant.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const all = ROOMS.flatMap(({ mutants }) => mutants);

test.each(ROOMS)('each guard of $room stands in the sources as the list has it, and its tests are there', ({ mutants }) => {
  for (const mutant of mutants) {
    const text = readFileSync(join(ROOT, mutant.file), 'utf8');
    expect({ [mutant.name]: mutate(text, mutant) === text }).toEqual({ [mutant.name]: false });
    expect({ [mutant.name]: mutant.tests }).not.toEqual({ [mutant.name]: [] });
    for (const file of mutant.tests) {
      expect(file).toMatch(/\.test\.ts$/);
      // A run has no broker and no hours.
      expect(file).not.toMatch(/\.(?:kafka|faults)\.test\.ts$/);
      expect({ [file]: existsSync(join(ROOT, file)) }).toEqual({ [file]: true });
    }
  }
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
