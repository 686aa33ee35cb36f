import type { Log } from '@dreamfold/log';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import { sqliteColumn } from '../steps/dreamfold-column.ts';
import { Workload } from '../steps/workload.ts';

type NewEvents = Parameters<Log['append']>[0]['events'];

/** Fills a data directory with sessions as they really are: half of them of one agent, half of a team. */
export async function recordRuns(directory: string, pairs: number): Promise<void> {
  const workload = new Workload();
  const column = await sqliteColumn(workload, directory);
  for (let i = 0; i < pairs; i += 1) {
    await column.run('single');
    await column.run('team');
  }
  await column.close();
}

/** The events of the first session of a data directory, to be appended again to other streams. */
export async function firstRun(directory: string): Promise<NewEvents> {
  const log = await openSqliteLog({ directory, readOnly: true });
  try {
    for await (const [first] of log.streams('session')) {
      const events = [];
      for await (const batch of log.archive.readStored(first!.stream)) {
        for (const { type, v, class: cls, actor, causation, data } of batch)
          events.push({ type, v, class: cls, actor, causation, data: JSON.parse(data!) as unknown });
      }
      return events;
    }
  } finally {
    await log.close();
  }
  throw new RangeError(`${directory} holds no session`);
}

/** Appends a recorded run to a new stream: one append, one transaction. @param n numbers the stream */
export async function appendRun(log: Log, events: NewEvents, n: number): Promise<void> {
  await log.append({ stream: `session/run_${n}`, id: `sevt_${n}`, expected: 0, epoch: 1, events });
}
