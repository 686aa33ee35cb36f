import { bestTold, fitChoices, judgeChange, tableOf, type FitLesson } from '@dreamfold/dreaming';
import { seeded } from '@dreamfold/core/testing';
import { rounded } from '../../statistics.ts';
import { target } from '../../target.ts';
import { textTable } from '../../text-table.ts';
import { scenario } from './scenario.ts';

const SHARES: readonly (readonly number[])[] = [
  [0.45, 0.35, 0.2],
  [0.6, 0.25, 0.15],
  [0.7, 0.3],
  [0.9, 0.1],
  [0.2, 0.2, 0.2, 0.2, 0.2],
];
const LESSONS = [30, 100, 400] as const;
const HELD_OUT = 2000;
const SEEDS = 5;
/** Of the requests of a value, those that hold its telling word. */
const TELLING = 0.95;
const STOP_WORDS = 10;
const NOISE_WORDS = 60;
const PRINCIPALS = 100;

type Cell = { values: number; shares: string; n: number; accuracy: number; worstRecall: number; passed: number };
type Few = { cells: Cell[]; waiting: number };

/** Few values and few lessons: what a reviewer would be shown, and how often the guard would let it through. */
export const few = scenario<Few>({
  run: async ({ seed }, progress) => {
    progress.total(SHARES.length * LESSONS.length * SEEDS);
    const cells: Cell[] = [];
    for (const shares of SHARES) {
      for (const n of LESSONS) {
        const runs = Array.from({ length: SEEDS }, (_, i) => {
          progress.step();
          return oneRun(shares, { n, seed: 1000 * seed + i });
        });
        const mean = (figure: (run: (typeof runs)[number]) => number): number =>
          rounded(runs.reduce((sum, run) => sum + figure(run), 0) / SEEDS, 4);
        const passed = runs.filter(({ isProved }) => isProved).length;
        const text = shares.map((share) => Math.round(100 * share)).join('/');
        cells.push({
          values: shares.length,
          shares: text,
          n,
          accuracy: mean((run) => run.accuracy),
          worstRecall: mean((run) => run.worstRecall),
          passed,
        });
      }
    }
    return { cells, waiting: 0 };
  },
  tell: ({ cells }) => {
    const enough = cells.filter(({ n }) => n >= 100);
    const falls = cells
      .filter(({ n }) => n === 400)
      .map((cell) => cells.find((one) => one.n === 100 && one.shares === cell.shares)!.accuracy - cell.accuracy);
    return {
      targets: [
        target('least accuracy from 100 lessons on', Math.min(...enough.map(({ accuracy }) => accuracy)), { atLeast: 0.93, unit: '' }),
        target('least recall of a value from 100 lessons on', Math.min(...enough.map(({ worstRecall }) => worstRecall)), {
          atLeast: 0.8,
          unit: '',
        }),
        target('most that 400 lessons are worse than 100', rounded(Math.max(...falls), 4), { atMost: 0.02, unit: '' }),
      ],
      table: textTable(
        ['values', 'shares', 'lessons', 'accuracy', 'worst recall', 'proved in 5'],
        cells.map((cell) => [cell.values, cell.shares, cell.n, cell.accuracy.toFixed(4), cell.worstRecall.toFixed(4), cell.passed]),
      ),
    };
  },
});

function oneRun(
  shares: readonly number[],
  { n, seed }: { n: number; seed: number },
): { accuracy: number; worstRecall: number; isProved: boolean } {
  const values = shares.map((_, i) => valueName(i));
  const lessons = made(shares, { n, seed: 2 * seed });
  const told = tableOf(fitChoices(lessons, values), { withBase: false });
  const heldOut = made(shares, { n: HELD_OUT, seed: 2 * seed + 1 });
  const isRight = ({ words, right }: FitLesson): boolean => bestTold(told, words) === right;
  const recalls = [...Map.groupBy(heldOut, ({ right }) => right).values()].map((own) => own.filter(isRight).length / own.length);
  const change = { tool: 'route', field: 'value', lessons, values, present: { cues: new Map(), base: new Map() }, writtenFrom: 0, look: 1 };
  return {
    accuracy: heldOut.filter(isRight).length / HELD_OUT,
    worstRecall: Math.min(...recalls),
    isProved: judgeChange(change).verdict === 'apply',
  };
}

function valueName(i: number): string {
  return `value${'abcde'[i]}`;
}

/** Requests of principals whose agent takes the first value by itself. */
function made(shares: readonly number[], { n, seed }: { n: number; seed: number }): FitLesson[] {
  const random = seeded(seed + 1);
  const pick = (size: number): number => Math.floor(random() * size);
  return Array.from({ length: n }, (_, i) => {
    let at = random();
    const value = Math.max(
      0,
      shares.findIndex((share) => (at -= share) < 0),
    );
    const telling = random() < TELLING ? [`telling${value}`] : [];
    const stop = [pick(STOP_WORDS), pick(STOP_WORDS)].map((word) => `stop${word}`);
    const noise = [pick(NOISE_WORDS), pick(NOISE_WORDS), pick(NOISE_WORDS)].map((word) => `noise${word}`);
    const words = [...new Set([...telling, ...stop, ...noise])];
    return { words, right: valueName(value), session: `s${i}`, principal: `p${pick(PRINCIPALS)}`, without: valueName(0) };
  });
}
