import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { machine } from '../machine.ts';
import { interleave, type Bench, type Candidate } from '../rounds.ts';
import { inScratchDirectory } from '../scratch-directory.ts';
import { rounded, spread, type Spread } from '../statistics.ts';
import { target } from '../target.ts';
import { targetTable, textTable } from '../text-table.ts';
import { install } from './installed.ts';

const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));
/** Starts of each kind in a round. */
const STARTS = 4;

const KINDS = ['bare', 'zod', 'dreamfold', 'version', 'help'] as const;
type Kind = (typeof KINDS)[number];

/** From the start to the end of a process that imports what is published, or runs the command, beside one that does nothing. */
export const measureStarts: Bench = (options, progress) =>
  inScratchDirectory(async (directory) => {
    const before = machine();
    progress('bundling');
    const modules = join(directory, 'node_modules');
    install('@dreamfold/cli', { from: join(REPOSITORY, 'apps', 'cli'), modules });
    install('zod', { from: join(REPOSITORY, 'node_modules', 'zod'), modules });
    const command = join(modules, '@dreamfold', 'cli', 'dist', 'bin.js');
    const evaluate = (code: string): string[] => ['--input-type=module', '-e', code];
    const started: Record<Kind, readonly string[]> = {
      bare: evaluate(''),
      zod: evaluate("await import('zod')"),
      dreamfold: evaluate("await import('dreamfold')"),
      version: [command, '--version'],
      help: [command, '--help'],
    };
    const candidates = KINDS.map((name): Candidate<Kind> => ({ name, measure: () => Promise.resolve(start(directory, started[name])) }));
    // The first start reads files that the later ones find in memory.
    for (const { measure } of candidates) await measure(0);
    const figures = await interleave(candidates, Math.max(options.rounds, 2) * STARTS, (round) => progress(`start ${round}`));
    const ms = Object.fromEntries(KINDS.map((kind) => [kind, spread(figures[kind])])) as Record<Kind, Spread>;
    const [bare, zod] = [ms.bare.min, ms.zod.min - ms.bare.min];
    const targets = [
      target('import of dreamfold to that of zod', rounded((ms.dreamfold.min - bare) / zod, 2), { atMost: 2, unit: '×' }),
      target('--version to a process that does nothing', rounded(ms.version.min / bare, 2), { atMost: 3, unit: '×' }),
      target('--help to a process that does nothing', rounded(ms.help.min / bare, 2), { atMost: 3, unit: '×' }),
    ];
    return {
      document: { bench: 'starts', unit: 'ms', machine: before, starts: ms, targets },
      text: [
        textTable(
          ['ms from start to end', 'min', 'median', 'max'],
          KINDS.map((kind) => [kind, ms[kind].min, ms[kind].median, ms[kind].max]),
        ),
        targetTable(targets),
      ].join('\n\n'),
    };
  });

/** @returns ms from start to end of a process */
function start(cwd: string, args: readonly string[]): number {
  const begin = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  const ms = performance.now() - begin;
  if (status !== 0) throw new Error(`node ${args.join(' ')} failed:\n${stderr}`);
  return ms;
}
