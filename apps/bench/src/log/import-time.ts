import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { interleave, type BenchOptions, type Progress } from '../rounds.ts';
import { median, rounded } from '../statistics.ts';

export interface ImportTime {
  /** `built`: dist, as it is published. `source`: the build failed, so types are stripped at each start. */
  from: 'built' | 'source';
  /** A process that imports dreamfold, less a process that does nothing: medians of the starts. */
  ms: number;
  startMs: number;
  bareStartMs: number;
}

interface Manifest {
  exports: unknown;
  publishConfig: { exports: unknown };
  dependencies?: Record<string, string>;
}

const BENCH = fileURLToPath(new URL('../../', import.meta.url));
const REPOSITORY = join(BENCH, '../..');

/** How much longer a process takes that imports `dreamfold`. */
export async function measureImport(directory: string, { rounds }: BenchOptions, progress: Progress): Promise<ImportTime> {
  progress('import: building');
  const from = build() ? 'built' : 'source';
  if (from === 'built') install('dreamfold', join(BENCH, 'node_modules', 'dreamfold'), join(directory, 'node_modules'));
  const cwd = from === 'built' ? directory : BENCH;
  // The first start reads files that the later ones find in memory.
  for (const code of [IMPORT, NOTHING]) start(cwd, code);
  const figures = await interleave(
    [
      { name: 'import', measure: () => Promise.resolve(start(cwd, IMPORT)) },
      { name: 'bare', measure: () => Promise.resolve(start(cwd, NOTHING)) },
    ],
    Math.max(rounds, 2) * 2,
    (round) => progress(`import: round ${round}`),
  );
  const [startMs, bareStartMs] = [median(figures.import), median(figures.bare)];
  return { from, ms: rounded(startMs - bareStartMs, 1), startMs: rounded(startMs, 1), bareStartMs: rounded(bareStartMs, 1) };
}

const IMPORT = "await import('dreamfold')";
const NOTHING = '';

/** @returns ms from start to end of a process that runs this code */
function start(cwd: string, code: string): number {
  const begin = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { cwd, encoding: 'utf8' });
  const ms = performance.now() - begin;
  if (status !== 0) throw new Error(`A process that runs \`${code}\` in ${cwd} failed:\n${stderr}`);
  return ms;
}

/** Brings dist up to date. @returns whether that worked */
function build(): boolean {
  const compiler = join(REPOSITORY, 'node_modules', 'typescript', 'bin', 'tsc');
  return spawnSync(process.execPath, [compiler, '-b', 'packages/dreamfold'], { cwd: REPOSITORY, stdio: 'ignore' }).status === 0;
}

/** Puts a built package where npm would put it, with what it depends on: our own packages by their dist, others by a link. */
function install(name: string, from: string, modules: string): void {
  const to = join(modules, name);
  if (existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  if (name !== 'dreamfold' && !name.startsWith('@dreamfold/')) {
    symlinkSync(realpathSync(from), to);
    return;
  }
  const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as Manifest;
  cpSync(join(from, 'dist'), join(to, 'dist'), { recursive: true });
  writeFileSync(join(to, 'package.json'), JSON.stringify({ ...manifest, exports: manifest.publishConfig.exports }));
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    install(dependency, join(realpathSync(from), 'node_modules', dependency), modules);
  }
}
