import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const TINY = ['--rounds', '1', '--samples', '1', '--sample-ms', '1', '--warm-ms', '1', '--events', '500', '--runs', '2'];

interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

function bench(...args: string[]): Result {
  return spawnSync(process.execPath, ['--expose-gc', MAIN, ...args], { encoding: 'utf8' });
}

/** Every number in a document, wherever it stands. */
function numbers(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbers) : [];
}

const cost = expect.toSatisfy((value: unknown) => typeof value === 'number' && value > 0) as number;

describe('bench steps --json', () => {
  let result: Result;
  let document: Record<string, unknown>;
  beforeAll(() => {
    result = bench('steps', '--json', ...TINY);
    document = result.status === 0 ? (JSON.parse(result.stdout) as Record<string, unknown>) : {};
  });

  test('prints one document with a figure for every column and scenario, progress beside it', () => {
    expect(result).toMatchObject({ status: 0 });
    const columns = {
      'dreamfold-memory': { single: cost, team: cost },
      'dreamfold-sqlite': { single: cost, team: cost },
      'ai-sdk': { single: cost, team: cost },
    };
    expect(document).toMatchObject({ bench: 'steps', columns, medians: columns });
    expect(result.stderr).toContain('round 1 of 1');
  });

  test('the columns did the whole workload', () => {
    // A column that counts anything else ends the bench.
    expect(document['counters']).toEqual({ single: { model: 51, tool: 50 }, team: { model: 50, tool: 40 } });
  });

  test('gives ratios, growth, disk and heap, and the targets', () => {
    const turns = { '10': cost, '50': cost, '200': cost };
    expect(document).toMatchObject({
      ratios: { 'dreamfold-memory': { single: cost, team: cost }, 'dreamfold-sqlite': { single: cost, team: cost } },
      growth: { 'dreamfold-memory': { ...turns, ratio: cost }, 'dreamfold-sqlite': { ...turns, ratio: cost } },
      diskKiBPerRun: cost,
      heapGrowthKiBPerRun: { 'dreamfold-memory': expect.any(Number), 'dreamfold-sqlite': expect.any(Number), 'ai-sdk': expect.any(Number) },
    });
    expect(document['targets']).toHaveLength(9);
    expect(numbers(document).every(Number.isFinite)).toBe(true);
  });
});

describe('bench log --json', () => {
  let result: Result;
  let document: Record<string, unknown>;
  beforeAll(() => {
    result = bench('log', '--json', ...TINY);
    document = result.status === 0 ? (JSON.parse(result.stdout) as Record<string, unknown>) : {};
  });

  test('prints one document with append, replay and verify, and the targets', () => {
    expect(result).toMatchObject({ status: 0 });
    expect(document).toMatchObject({
      bench: 'log',
      append: { batch: cost, ratio: cost },
      replay: { sessions: 60, ratio: cost },
      verify: { seconds: expect.any(Number), rssGrowthMiB: expect.any(Number) },
    });
    expect(document['targets']).toHaveLength(3);
    expect(numbers(document).every(Number.isFinite)).toBe(true);
  });

  test('verifies every event that was written', () => {
    expect((document['verify'] as { events: number }).events).toBeGreaterThan(500);
  });
});

test('bench starts --json bundles what is published, and prints one document with the start of each kind of process', () => {
  const { status, stdout } = bench('starts', '--json', ...TINY);
  expect(status).toBe(0);
  const document = JSON.parse(stdout) as Record<string, unknown>;
  const figure = { min: cost, median: cost, max: cost };
  expect(document).toMatchObject({
    bench: 'starts',
    starts: { bare: figure, zod: figure, dreamfold: figure, version: figure, help: figure },
  });
  expect(document['targets']).toHaveLength(3);
});

describe('arguments', () => {
  test('--help teaches, on stdout', () => {
    const { status, stdout } = bench('--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(/Usage: pnpm bench[^]*steps[^]*log[^]*--json[^]*--events N/);
  });

  test.each([
    [[], /Name a bench: steps, work, starts, log/],
    [['stesp'], /no bench "stesp".*steps, work, starts, log/],
    [['steps', 'log'], /one bench at a time/],
    [['steps', '--rounds', '0'], /--rounds is "0"/],
    [['log', '--events', '1e6'], /--events is "1e6"/],
    [['steps', '--jsno'], /--jsno/],
  ])('%j ends with 2, says why on stderr and prints nothing', (args, why) => {
    const { status, stdout, stderr } = bench(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(why);
    expect(stdout).toBe('');
  });
});
