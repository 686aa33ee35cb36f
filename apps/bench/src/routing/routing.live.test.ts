import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seeded } from '@dreamfold/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'routing-'));
afterAll(() => rmSync(directory, { recursive: true }));

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, 'routing', ...args], { encoding: 'utf8', cwd: directory });
}

/** Requests whose queue follows from one word that its name does not have. */
function write(name: string, rows: number, seed: number): void {
  const random = seeded(seed);
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)]!;
  const queues = { alpha: ['moon', 'star'], beta: ['oak', 'elm'], gamma: ['cod', 'eel'], delta: ['rook', 'wren'] };
  const lines = Array.from({ length: rows }, () => {
    const queue = pick(Object.keys(queues)) as keyof typeof queues;
    const noise = Array.from({ length: 4 }, () => pick(['please', 'the', 'my', 'help', 'with', 'about', 'now']));
    return `${[pick(queues[queue]), ...noise].join(' ')},${queue}`;
  });
  writeFileSync(join(directory, name), ['text,category', ...lines, ''].join('\n'));
}

describe('a run on requests of its own', () => {
  const args = ['--requests', 'learn.csv', '--test', 'held-out.csv'];
  let document: { cycles: Record<string, number>[] };
  beforeAll(() => {
    write('learn.csv', 1003, 1);
    write('held-out.csv', 200, 2);
    const { status, stdout, stderr } = bench(...args, '--json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('1003/1003') });
    document = JSON.parse(stdout) as typeof document;
  });

  test('gives a cycle for the start and for each dream', () => {
    expect(document.cycles.map(({ dream, sessions }) => [dream, sessions])).toEqual([
      [0, 0],
      [1, 500],
      [2, 1000],
    ]);
    for (const cycle of document.cycles) {
      expect(Object.keys(cycle)).toEqual([
        'dream',
        'sessions',
        'accuracy',
        'withoutMemory',
        'insights',
        'cues',
        'promptBytesP50',
        'promptBytesMax',
      ]);
      expect(cycle['promptBytesMax']).toBeLessThanOrEqual(8192);
    }
  });

  test('learns what the words mean, and nothing without memory', () => {
    const [start, first, second] = document.cycles;
    expect(start).toMatchObject({ insights: 0, cues: 0, promptBytesP50: 0, promptBytesMax: 0 });
    expect(start!['accuracy']).toBeLessThan(0.4);
    expect(first!['accuracy']).toBeGreaterThan(0.95);
    expect(second!['accuracy']).toBeGreaterThan(0.95);
    expect(second!['cues']).toBeGreaterThanOrEqual(8);
    expect(new Set(document.cycles.map(({ withoutMemory }) => withoutMemory))).toEqual(new Set([start!['accuracy']]));
  });
});

test('a scenario has a document of its own, and seeds are its mean', () => {
  const { status, stdout } = bench('--scenario', 'few', '--seeds', '2', '--json');
  expect(status).toBe(0);
  const { scenario, cells, seeds } = JSON.parse(stdout) as {
    scenario: string;
    cells: { accuracy: number }[];
    seeds: { cells: { accuracy: number }[] }[];
  };
  expect(scenario).toBe('few');
  expect(cells).toHaveLength(15);
  expect(seeds).toHaveLength(2);
  expect(cells[0]!.accuracy).toBeCloseTo((seeds[0]!.cells[0]!.accuracy + seeds[1]!.cells[0]!.accuracy) / 2, 3);
});

test.each([
  [['--requests', 'nowhere.csv'], /nowhere\.csv can't be read \(ENOENT\)/],
  [['--requests', 'few.csv'], /few\.csv has 3 rows\. The last 2000 are held out: give more, or held-out ones with --test/],
  [['--requests', 'few.csv', '--test', 'none.csv'], /none\.csv has no rows/],
  [['--requests', 'none.csv', '--test', 'few.csv'], /none\.csv has 0 rows/],
  [['--seed', '-1'], /--seed/],
  [['--scenario', 'nothing'], /There is no scenario "nothing"\. Name one of: learning, few, null, poison, sparse/],
  [['--requests', 'few.csv', '--test', 'few.csv', '--sessions', '4'], /few\.csv has 3 requests to learn from/],
])('%j ends with 2, says why on stderr and prints nothing', (args, why) => {
  write('few.csv', 3, 1);
  write('none.csv', 0, 1);
  const { status, stdout, stderr } = bench(...args, '--json');
  expect(stderr).toMatch(why);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
});
