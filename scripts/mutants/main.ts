// Switches off one guard of the product at a time, on copies of the repository, and says which no test misses.
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type TemporaryFolder, temporaryFolder } from '../kafka/temporary-folder.ts';
import { ROOMS } from './list.ts';
import { type Mutant, mutate } from './mutant.ts';
import { type RunOptions, runTests } from './run-tests.ts';
import type { Verdict } from './verdict.ts';
import { copyRepository } from './working-copy.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const USAGE = 'pnpm mutants [--only NAME]… [--room ROOM]… [--workers N] [--list]';

interface Choice {
  mutants: readonly Mutant[];
  workers: number;
  isListed: boolean;
}

function choose(args: readonly string[]): Choice {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      room: { type: 'string', multiple: true },
      workers: { type: 'string' },
      list: { type: 'boolean', default: false },
    },
  });
  const workers = Number(values.workers ?? Math.min(2, availableParallelism()));
  if (!Number.isInteger(workers) || workers < 1) throw new Error(`--workers is a number from 1, not "${values.workers}".`);
  const all = ROOMS.flatMap(({ room, mutants }) => mutants.map((mutant) => ({ room, mutant })));
  const unknown = [
    ...(values.only ?? []).filter((name) => !all.some((one) => one.mutant.name === name)),
    ...(values.room ?? []).filter((name) => !all.some((one) => one.room === name)),
  ];
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')}. --list shows the rooms and names.`);
  const mutants = all
    .filter(({ room, mutant }) => (values.room?.includes(room) ?? true) && (values.only?.includes(mutant.name) ?? true))
    .map((one) => one.mutant);
  return { mutants, workers, isListed: values.list };
}

function list(chosen: readonly Mutant[]): void {
  for (const { room, mutants } of ROOMS) {
    const shown = mutants.filter((mutant) => chosen.includes(mutant));
    if (shown.length > 0) console.log(`${room}: ${shown.length}`);
    for (const { name, what } of shown) console.log(`  ${name}: ${what}`);
  }
}

async function tryMutant(mutant: Mutant, options: RunOptions): Promise<Verdict> {
  const path = join(options.copy, mutant.file);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, mutate(text, mutant));
  try {
    return await runTests(mutant.tests, options);
  } finally {
    writeFileSync(path, text);
  }
}

/** Tests that fail anyway would kill every mutant. */
async function checkGreen(mutants: readonly Mutant[], options: RunOptions): Promise<void> {
  const files = [...new Set(mutants.flatMap((mutant) => mutant.tests))].toSorted();
  console.log(`${mutants.length} mutants; first their ${files.length} test files as they are`);
  const { is, why } = await runTests(files, options);
  if (is !== 'alive') throw new Error(`The tests are not green without any mutant: ${why}`);
  console.log(`${why}, nothing changed`);
}

function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
}

/** @returns how many were not killed */
async function run(mutants: readonly Mutant[], copies: readonly string[], signal: AbortSignal): Promise<number> {
  const started = Date.now();
  await checkGreen(mutants, { copy: copies[0]!, cores: copies.length, signal });
  const waiting = [...mutants];
  const left: string[] = [];
  let done = 0;
  const work = async (copy: string): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const start = Date.now();
      const { is, why } = await tryMutant(mutant, { copy, cores: 1, signal });
      done += 1;
      const line = `${is} ${mutant.name} (${seconds(start)}): ${why}`;
      console.log(`${done}/${mutants.length} ${line}`);
      if (is !== 'killed') left.push(`${line}\n  ${mutant.what}\n  ${mutant.file}, ${mutant.tests.join(', ')}`);
    }
  };
  await Promise.all(copies.map(work));
  if (left.length > 0) console.log(`\nNot killed:\n${left.join('\n')}`);
  console.log(`\nin ${seconds(started)}\n${mutants.length - left.length} killed, ${left.length} alive`);
  return left.length;
}

async function main({ mutants, workers, isListed }: Choice): Promise<number> {
  if (isListed) {
    list(mutants);
    return 0;
  }
  for (const mutant of mutants) mutate(readFileSync(join(ROOT, mutant.file), 'utf8'), mutant);
  const ending = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => ending.abort(new Error(`Ended by ${name}.`)));
  const folders: TemporaryFolder[] = [];
  try {
    for (let i = 0; i < Math.min(workers, mutants.length); i += 1) {
      const folder = temporaryFolder(join(tmpdir(), 'dreamfold-mutants-'));
      folders.push(folder);
      copyRepository(ROOT, folder.path);
    }
    const alive = await run(
      mutants,
      folders.map((folder) => folder.path),
      ending.signal,
    );
    return alive > 0 ? 1 : 0;
  } finally {
    ending.abort();
    await Promise.all(folders.map((folder) => folder.remove()));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

let choice: Choice | null = null;
try {
  choice = choose(process.argv.slice(2));
} catch (error) {
  console.error(`${messageOf(error)}\n${USAGE}`);
  process.exitCode = 2;
}
try {
  if (choice !== null) process.exitCode = await main(choice);
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 2;
}
