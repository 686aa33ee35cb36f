import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const MAIN = new URL('../main.ts', import.meta.url).pathname;

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--expose-gc', MAIN, 'dreams', ...args], { encoding: 'utf8' });
}

test('gives the spread of every column and of the ratios by round, and the targets', () => {
  const { status, stdout, stderr } = bench('--sessions', '30', '--rounds', '2', '--json');
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('round 2 of 2') });
  const figure = expect.toSatisfy((value: unknown) => typeof value === 'number' && value > 0) as number;
  const spread = { median: figure, min: figure, max: figure };
  expect(JSON.parse(stdout)).toMatchObject({
    bench: 'dreams',
    sessions: 30,
    columns: { 'manual often': spread, 'manual once': spread, 'auto often': spread, 'auto once': spread },
    ratios: { manual: spread, auto: spread },
    targets: [{ limit: { atMost: 3 } }, { limit: { atMost: 3 } }],
  });
});

test('refuses more sessions than there are requests', () => {
  const { status, stdout, stderr } = bench('--sessions', '10004');
  expect(stderr).toMatch(/requests\.csv has 10003 rows of 77 queues\. Give 10004 rows of two queues, or fewer --sessions/);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
});
