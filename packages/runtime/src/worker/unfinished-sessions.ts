import { idOfStream, type LogEvent } from '@dreamfold/events';
import { restAfter } from '@dreamfold/core';
import type { Log, Time } from '@dreamfold/log';

/** So many of a session's newest events are looked at. Little comes after the one that says that it rests. */
const NEWEST = 8;

/**
 * The sessions that are not at rest, by their newest event. What is finished is not folded, so a few that have nothing to do may be among them.
 */
export async function* unfinishedSessions(log: Log, time: Time): AsyncGenerator<{ id: string; newest: LogEvent }, void, undefined> {
  for await (const batch of log.streams('session')) {
    for (const { stream, head } of batch) {
      const events: LogEvent[] = [];
      for await (const some of log.read(stream, { from: Math.max(1, head.seq - NEWEST + 1) })) events.push(...some);
      const newest = events.at(-1);
      if (newest === undefined) continue;
      const rest = events.map(restAfter).findLast((said) => said !== null);
      if (rest !== 'ended' && rest !== 'waiting') yield { id: idOfStream(stream), newest };
    }
    // A log that is read in this process never waits for anything: signals and sessions must get their turn.
    await time.sleep(0);
  }
}
