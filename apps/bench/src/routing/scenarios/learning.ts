import { inScratchDirectory } from '../../scratch-directory.ts';
import { target } from '../../target.ts';
import { textTable } from '../../text-table.ts';
import { requestsFor } from '../requests.ts';
import { scenario } from './scenario.ts';
import { RoutedStream, askedBy, type Cycle } from '../stream.ts';

type Learning = {
  cycles: Cycle[];
  /** Changes that dreams have proposed, and those among them that wait for a person. */
  patches: number;
  waiting: number;
};

/** How well a team routes real requests, with what dreams have made of the feedback on earlier ones. */
export const learning = scenario<Learning>({
  run: (options, progress) =>
    inScratchDirectory(async (directory) => {
      const { streamed, heldOut, queues } = requestsFor(options);
      progress.total(streamed.length);
      const stream = await RoutedStream.open(queues, directory);
      try {
        const cycles = await stream.learn(askedBy(streamed, options.seed), { heldOut, progress });
        return { cycles, ...(await stream.changes()) };
      } finally {
        await stream.close();
      }
    }),
  tell: ({ cycles, patches, waiting }) => {
    const last = cycles.at(-1)!;
    const most = (figure: (cycle: Cycle) => number): number => Math.max(...cycles.map(figure));
    return {
      targets: [
        target('accuracy at the end', last.accuracy, { atLeast: 0.85, unit: '' }),
        target('lowest point of a dream under no memory', Math.min(0, ...cycles.map((c) => c.accuracy - c.withoutMemory)), {
          ...{ atLeast: -0.01, unit: '' },
        }),
        target('memory in a prompt at the end, p50', last.promptBytesP50, { atMost: 1000, unit: 'bytes' }),
        target(
          'memory in a prompt, most',
          most(({ promptBytesMax }) => promptBytesMax),
          { atMost: 2048, unit: 'bytes' },
        ),
        target('proposed changes', patches, { atMost: 400, unit: '' }),
      ],
      table: [
        textTable(
          ['dream', 'sessions', 'accuracy', 'without memory', 'insights', 'cues', 'prompt bytes p50', 'max'],
          cycles.map((c) => [
            ...[c.dream, c.sessions, c.accuracy.toFixed(4), c.withoutMemory.toFixed(4)],
            ...[c.insights, c.cues, c.promptBytesP50, c.promptBytesMax],
          ]),
        ),
        `${patches} changes were proposed, ${waiting} wait for a person.`,
      ].join('\n\n'),
    };
  },
});
