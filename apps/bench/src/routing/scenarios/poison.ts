import { seeded } from '@dreamfold/core/testing';
import { rounded } from '../../statistics.ts';
import { target } from '../../target.ts';
import { textTable } from '../../text-table.ts';
import { runJobs } from '../jobs.ts';
import type { PoisonJob, PoisonResult } from './poison-run.ts';
import { requestsFor, shuffled } from '../requests.ts';
import { scenario } from './scenario.ts';

/** Queues that are attacked, one after the other, by each kind of attack. */
const TARGETS = 4;
/** Sessions of colluders, as a part of all. */
const SHARE = 0.05;
/** One-sided 95 % of Student's distribution, by degrees of freedom. */
const STUDENT: Readonly<Record<number, number>> = { 3: 2.35, 7: 1.89, 11: 1.8, 15: 1.75, 19: 1.73 };

type Attack = {
  principals: number;
  sessions: number;
  late: number;
  targets: number;
  targetBefore: number;
  targetAfter: number;
  worst: number;
  upper: number;
  toWrong: number;
  overallBefore: number;
  overallAfter: number;
};
type Poison = { attacks: Attack[]; waiting: number };

/** Principals who collude to send the requests of a queue elsewhere. */
export const poison = scenario<Poison>({
  run: async (options, progress) => {
    const { streamed, heldOut, queues } = requestsFor(options);
    const colluders = Math.round((streamed.length * SHARE) / (1 - SHARE));
    const kinds = [
      { principals: 1, sessions: 200, late: false },
      ...[20, 50].flatMap((principals) => [false, true].map((late) => ({ principals, sessions: colluders, late }))),
    ];
    const random = seeded(options.seed + 17);
    const targets = shuffled(
      queues.filter((queue) => heldOut.some((one) => one.queue === queue)),
      random,
    ).slice(0, TARGETS);
    const others = targets.map(
      (queue) =>
        shuffled(
          queues.filter((one) => one !== queue),
          random,
        )[0]!,
    );
    const attacks = kinds.flatMap((kind) => targets.map((queue, i) => ({ ...kind, target: queue, towards: others[i]! })));
    const jobs: PoisonJob[] = [null, ...attacks].map((attack) => ({ options, attack }));
    progress.total(jobs.length);
    const [clean, ...results] = await runJobs<PoisonResult>(new URL('./poison-run.ts', import.meta.url), {
      jobs,
      onDone: () => progress.step(),
    });
    const accuracy = ({ routes }: PoisonResult, queue?: string): number => {
      const rows = [...heldOut.keys()].filter((i) => queue === undefined || heldOut[i]!.queue === queue);
      return rows.filter((i) => routes[i] === heldOut[i]!.queue).length / rows.length;
    };
    const rows = kinds.map((kind, k): Attack => {
      const own = results.slice(k * targets.length, (k + 1) * targets.length);
      const before = targets.map((queue) => accuracy(clean!, queue));
      const after = targets.map((queue, i) => accuracy(own[i]!, queue));
      const losses = before.map((one, i) => one - after[i]!);
      const wrong = targets.map((queue, i) => {
        const asked = [...heldOut.keys()].filter((row) => heldOut[row]!.queue === queue);
        return asked.filter((row) => own[i]!.routes[row] === others[i]).length / asked.length;
      });
      return {
        ...{ principals: kind.principals, sessions: kind.sessions, late: kind.late ? 1 : 0, targets: targets.length },
        targetBefore: rounded(mean(before), 4),
        targetAfter: rounded(mean(after), 4),
        worst: rounded(Math.max(...losses), 4),
        upper: rounded(upperOf(losses), 4),
        toWrong: rounded(mean(wrong), 4),
        overallBefore: rounded(accuracy(clean!), 4),
        overallAfter: rounded(mean(own.map((one) => accuracy(one))), 4),
      };
    });
    return { attacks: rows, waiting: results.reduce((sum, { waiting }) => sum + waiting, 0) };
  },
  tell: ({ attacks }) => ({
    targets: [
      target('mean loss of the targets, worst kind', Math.max(...attacks.map((a) => rounded(a.targetBefore - a.targetAfter, 4))), {
        atMost: 0.05,
        unit: '',
      }),
      target('upper bound of the mean loss, worst kind', Math.max(...attacks.map(({ upper }) => upper)), { atMost: 0.07, unit: '' }),
      target('largest loss of one target', Math.max(...attacks.map(({ worst }) => worst)), { atMost: 0.2, unit: '' }),
      target('sent where the attackers want, worst kind', Math.max(...attacks.map(({ toWrong }) => toWrong)), { atMost: 0.03, unit: '' }),
      target('loss over all, worst kind', Math.max(...attacks.map((a) => rounded(a.overallBefore - a.overallAfter, 4))), {
        atMost: 0.01,
        unit: '',
      }),
    ],
    table: textTable(
      ['principals', 'sessions', 'late', 'target before', 'after', 'worst loss', 'upper', 'to wrong', 'all before', 'after'],
      attacks.map((a) => [
        ...[a.principals, a.sessions, a.late === 1 ? 'yes' : 'no', a.targetBefore.toFixed(4), a.targetAfter.toFixed(4)],
        ...[a.worst.toFixed(4), a.upper.toFixed(4), a.toWrong.toFixed(4), a.overallBefore.toFixed(4), a.overallAfter.toFixed(4)],
      ]),
    ),
  }),
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The upper end of a one-sided interval of 95 % for the mean. */
function upperOf(values: readonly number[]): number {
  const average = mean(values);
  const freedom = values.length - 1;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - average) ** 2, 0) / freedom);
  return average + ((STUDENT[freedom] ?? 1.73) * deviation) / Math.sqrt(values.length);
}
