import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { type TestReport, type Verdict, verdictOn } from './verdict.ts';

/** Long enough for a near test file, with a test that waits for its own time limit. A mutant can make an endless loop of anything. */
const FILE_LIMIT_MS = 300_000;

/** How the tests are run: in which copy of the repository, on how many cores, and what ends the run early. */
export interface RunOptions {
  copy: string;
  cores: number;
  signal: AbortSignal;
}

function stop(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    // The whole group: tests start processes of their own.
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/**
 * Runs test files until the first failure.
 * @param files from the root of the repository
 * @throws DOMException when the signal ends it
 */
export async function runTests(files: readonly string[], { copy, cores, signal }: RunOptions): Promise<Verdict> {
  signal.throwIfAborted();
  const output = join(copy, 'node_modules', 'mutant-report.json');
  rmSync(output, { force: true });
  const vitest = join('node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--project=pure', '--project=live', '--bail=1', `--maxWorkers=${cores}`];
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  const child = spawn(process.execPath, [...args, '--reporter=json', `--outputFile.json=${output}`, ...files], {
    cwd: copy,
    detached: true,
    stdio: 'ignore',
    // A guard of the rule of acceptance that is off fails one of the first simulated runs, or none.
    env: { ...process.env, PATH: path, CI: 'true', NO_COLOR: '1', SIMULATION_SEEDS: '1000' },
  });
  const end = (): void => stop(child.pid);
  const timer = setTimeout(end, files.length * FILE_LIMIT_MS);
  signal.addEventListener('abort', end, { once: true });
  const status = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  clearTimeout(timer);
  signal.removeEventListener('abort', end);
  // What a test that was cut off has left running.
  end();
  signal.throwIfAborted();
  return verdictOn(existsSync(output) ? (JSON.parse(readFileSync(output, 'utf8')) as TestReport) : null, status);
}
