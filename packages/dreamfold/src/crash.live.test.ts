// `kill -9` before and after every append of a session with a team, tools of every effect, approvals (one with another input), and a revision; also inside
// tools and model calls, and again while the next process takes the session over. Then a new process goes on.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { CrashReport } from './testing/crash-scenario.ts';
import { temporaryDirectory } from './testing/log-fixtures.ts';

const PROGRAM = join(import.meta.dirname, 'testing', 'crash-scenario.ts');
const AT_ONCE = 2;
/** Filled by the first run, which is not killed; the others start in half the time. */
const COMPILE_CACHE = temporaryDirectory();

interface Run {
  /** Where it was killed, one point for each process. */
  points: readonly string[];
  kills: number;
  report: CrashReport;
}

let undisturbed: CrashReport;
let runs: Run[] = [];

/** Runs the program. @returns its report, null when it was killed */
function runProgram(directory: string, point?: string): Promise<CrashReport | null> {
  // The binary itself, not a package manager: a signal to those leaves the program alive.
  const child = spawn(process.execPath, [PROGRAM, directory, ...(point === undefined ? [] : [point])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(null);
      else if (code === 0) resolve(JSON.parse(out) as CrashReport);
      else reject(new Error(`at ${point}: exit ${code}\n${err}`));
    });
  });
}

async function crash(directory: string, points: readonly string[]): Promise<Run> {
  let kills = 0;
  for (const point of points) {
    const report = await runProgram(directory, point);
    if (report !== null) return { points, kills, report };
    kills += 1;
  }
  const report = await runProgram(directory);
  if (report === null) throw new Error('killed without being asked to');
  return { points, kills, report };
}

async function crashAll(all: readonly (readonly string[])[]): Promise<Run[]> {
  const root = temporaryDirectory();
  const left = all.map((points, i) => ({ points, directory: join(root, String(i)) }));
  const done: Run[] = [];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      mkdirSync(next.directory);
      done.push(await crash(next.directory, next.points));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return done;
}

/** The runs of which something does not hold, with what they were. */
function violations(what: (report: CrashReport) => unknown, expected: (report: CrashReport) => boolean): unknown[] {
  return runs.filter(({ report }) => !expected(report)).map(({ points, report }) => ({ points, got: what(report) }));
}

const runsOf = (report: CrashReport, tool: string): string[] => report.effects.filter((line) => line.startsWith(`${tool} `));
const repeated = (report: CrashReport): number => report.asked.length - new Set(report.asked).size;

beforeAll(async () => {
  const directory = temporaryDirectory();
  undisturbed = (await runProgram(directory))!;
  const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
  const points = [
    ...numbers(undisturbed.appends).flatMap((n) => [`before:${n}`, `after:${n}`]),
    ...['look_up', 'refund', 'send_mail'].flatMap((tool) => [`start:${tool}`, `effect:${tool}`]),
    ...numbers(undisturbed.asked.length).map((n) => `model:${n}`),
  ];
  // The process that takes over is killed too: before and after its claim, and after its next append.
  const twice = ['after:3', 'effect:refund', 'start:send_mail', 'effect:send_mail', `before:${undisturbed.appends}`];
  const again = twice.flatMap((first) => ['before:1', 'after:1', 'after:2'].map((second) => [first, second]));
  const started = performance.now();
  runs = await crashAll([...points.map((point) => [point]), ...again]);
  const seconds = (performance.now() - started) / 1000;
  const sum = (of: (run: Run) => number): number => runs.reduce((total, run) => total + of(run), 0);
  console.log(
    [
      `${runs.length} points of ${undisturbed.appends} appends, ${sum((run) => run.kills)} kills in ${seconds.toFixed(1)} s`,
      `${sum(({ report }) => new Set(runsOf(report, 'refund')).size - 1)} keyed effects twice`,
      `${sum(({ report }) => Math.max(0, runsOf(report, 'send_mail').length - 1))} unsafe tools run again`,
      `${sum(({ report }) => report.unknown.length)} unsafe calls in doubt, all of them said so`,
      `${sum(({ report }) => repeated(report))} model calls repeated, at most ${Math.max(...runs.map((run) => repeated(run.report) / run.kills))} a kill`,
    ].join('; '),
  );
}, 300_000);

test('every point is reached, and every process is killed', () => {
  expect(runs.filter(({ points, kills }) => kills !== points.length).map(({ points }) => points)).toEqual([]);
  expect(undisturbed.problems).toEqual([]);
  expect(undisturbed.unknown).toEqual([]);
});

test('the session ends as if nothing had happened', () => {
  expect(
    violations(
      (report) => report.canonical,
      (report) => report.canonical === undisturbed.canonical,
    ),
  ).toEqual([]);
});

test('the log verifies, every call has one result, and every history is one that a model accepts', () => {
  expect(
    violations(
      (report) => report.problems,
      ({ problems }) => problems.length === 0,
    ),
  ).toEqual([]);
});

test('a keyed tool keeps its key, so it takes effect once', () => {
  expect(
    violations(
      (report) => runsOf(report, 'refund'),
      (report) => new Set(runsOf(report, 'refund')).size === 1,
    ),
  ).toEqual([]);
  expect(runs.some(({ report }) => runsOf(report, 'refund').length === 2)).toBe(true);
});

test('an unsafe tool never runs again, and when nobody knows whether it ran, the model is told', () => {
  const holds = (report: CrashReport): boolean => {
    const ran = runsOf(report, 'send_mail').length;
    return report.unknown.length === 0 ? ran === 1 : report.unknown.length === 1 && ran <= 1;
  };
  expect(violations(({ effects, unknown }) => ({ effects, unknown }), holds)).toEqual([]);
  expect(runs.some(({ report }) => report.unknown.length > 0 && runsOf(report, 'send_mail').length === 1)).toBe(true);
});

test('each approval survives, and is used once', () => {
  expect(
    violations(
      (report) => report.approvals,
      ({ approvals }) => approvals.confirmed === 2 && approvals.started === 2,
    ),
  ).toEqual([]);
});

test('what a person put in the place of an input is what runs, also where the approval was recorded by itself', () => {
  expect(undisturbed.mailed).toEqual(['bob@example.com']);
  expect(
    violations(
      (report) => report.mailed,
      ({ mailed }) => mailed.every((to) => to === 'bob@example.com'),
    ),
  ).toEqual([]);
});

test('a recorded answer is never asked for again; a call that is repeated shows as an attempt, at most one for each thread and kill', () => {
  expect(
    violations(
      (report) => report.answered,
      ({ answered }) => answered === undisturbed.asked.length,
    ),
  ).toEqual([]);
  const excess = runs.filter(({ kills, report }) => {
    const most = Math.max(...report.asked.map((request) => report.asked.filter((other) => other === request).length));
    return repeated(report) > report.restarted || most > 1 + kills || new Set(report.asked).size !== undisturbed.asked.length;
  });
  expect(excess.map(({ points, report }) => ({ points, asked: report.asked, restarted: report.restarted }))).toEqual([]);
});
