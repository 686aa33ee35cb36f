import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'recovery-'));
afterAll(() => rmSync(directory, { recursive: true }));

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, 'recovery', ...args], { encoding: 'utf8' });
}

/** A run that meets an error and goes on with one call. */
function run(task: number, trial: number, next: string): object {
  const call = (name: string, id: string): object => ({
    role: 'assistant',
    content: null,
    tool_calls: [{ id, type: 'function', function: { name, arguments: '{}' } }],
  });
  const result = (id: string, name: string, content: string): object => ({ role: 'tool', tool_call_id: id, name, content });
  return {
    task_id: task,
    trial,
    reward: 1,
    info: { task: { user_id: `user_${task}` } },
    traj: [
      { role: 'system', content: 'Help.' },
      { role: 'user', content: 'Book a seat.' },
      call('book', 'c1'),
      result('c1', 'book', 'Error: no seat is left'),
      call(next, 'c2'),
      result('c2', next, 'ok'),
      { role: 'assistant', content: 'Done.' },
    ],
  };
}

const write = (tasks: readonly string[]): void =>
  writeFileSync(join(directory, 'runs.json'), JSON.stringify(tasks.flatMap((next, task) => [run(task, 0, next), run(task, 1, next)])));

test('says how often the step after an error was known: all steps alike, and one task of ten otherwise', () => {
  write(Array.from({ length: 10 }, () => 'search'));
  const { status, stdout, stderr } = bench('--runs', directory, '--splits', '20', '--json');
  expect({ status, stderr }).toEqual({ status: 0, stderr: 'importing runs.json\n' });
  expect(JSON.parse(stdout)).toMatchObject({
    bench: 'recovery',
    runs: 20,
    tasks: 10,
    splits: 20,
    errors: 80,
    seenShare: 1,
    top1: { median: 1, min: 1, max: 1, pooled: 1 },
    target: { limit: { atLeast: 0.75 }, value: 1, met: true },
  });
  write(Array.from({ length: 10 }, (_, task) => (task === 0 ? 'cancel' : 'search')));
  const mixed = JSON.parse(bench('--runs', directory, '--splits', '20', '--json').stdout) as { top1: { pooled: number } };
  expect(mixed).toMatchObject({ seenShare: 1, top1: { median: 1, min: 0.5, max: 1 }, target: { met: true } });
  expect(mixed.top1.pooled).toBeGreaterThan(0.8);
  expect(mixed.top1.pooled).toBeLessThan(1);
});

test('prints a table with the target', () => {
  const { status, stdout } = bench('--runs', directory, '--splits', '5');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^splits by task +5$/m);
  expect(stdout).toMatch(/≥ 0\.75 +met$/m);
});

test.each([
  ['a directory that is not there', ['--runs', join(directory, 'nope')], /nope can't be read/],
  ['a directory without results', ['--runs', import.meta.dirname], /holds no \.json file/],
  ['no number of splits', ['--splits', '0'], /--splits is "0"/],
])('%s ends with 2', (...[, args, says]) => {
  const { status, stdout, stderr } = bench(...args);
  expect(stderr).toMatch(says);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
});

test('a file that is no result ends with 2, and says where', () => {
  writeFileSync(join(directory, 'runs.json'), '[{"task_id": 1}]');
  const { status, stderr } = bench('--runs', directory);
  expect(stderr).toMatch(/runs\.json:1/);
  expect(status).toBe(2);
  rmSync(join(directory, 'runs.json'));
});
