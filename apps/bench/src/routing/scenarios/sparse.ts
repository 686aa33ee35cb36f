import { seeded } from '@dreamfold/core/testing';
import { rounded } from '../../statistics.ts';
import { target } from '../../target.ts';
import { textTable } from '../../text-table.ts';
import { requestsFor } from '../requests.ts';
import { scenario } from './scenario.ts';
import { RoutedStream, askedBy, type Cycle } from '../stream.ts';

const SHARES = [0.05, 0.2];

type Sparse = { runs: { share: number; cycles: Cycle[]; patches: number; waiting: number }[]; waiting: number };

/** The desk says only of some sessions, drawn at random, what was right. */
export const sparse = scenario<Sparse>({
  run: async (options, progress) => {
    const { streamed, heldOut, queues } = requestsFor(options);
    progress.total(SHARES.length * streamed.length);
    const runs: Sparse['runs'] = [];
    for (const share of SHARES) {
      const random = seeded(1000 * options.seed + Math.round(100 * share));
      const stream = await RoutedStream.open(queues);
      const asked = askedBy(streamed, options.seed).map((request) => ({ ...request, queue: random() < share ? request.queue : null }));
      const cycles = await stream.learn(asked, { heldOut, progress });
      runs.push({ share, cycles, ...(await stream.changes()) });
      await stream.close();
    }
    return { runs, waiting: runs.reduce((sum, { waiting }) => sum + waiting, 0) };
  },
  tell: ({ runs }) => {
    const lowest = runs.flatMap(({ cycles }) => cycles.map((c) => rounded(c.accuracy - c.withoutMemory, 4)));
    return {
      targets: [
        target('accuracy at the end, feedback on 20 %', runs[1]!.cycles.at(-1)!.accuracy, { atLeast: 0.68, unit: '' }),
        target('lowest point of a dream under no memory', Math.min(...lowest), { atLeast: -0.01, unit: '' }),
      ],
      table: textTable(
        ['share', 'dream', 'sessions', 'accuracy', 'without memory', 'insights'],
        runs.flatMap(({ share, cycles }) =>
          cycles.map((c) => [share, c.dream, c.sessions, c.accuracy.toFixed(4), c.withoutMemory.toFixed(4), c.insights]),
        ),
      ),
    };
  },
});
