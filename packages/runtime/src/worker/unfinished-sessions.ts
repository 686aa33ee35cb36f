import { idOfStream, knownEvent, type LogEvent } from '@dreamfold/events';
import { isUntaken, restAfter } from '@dreamfold/core';
import type { Log, Time } from '@dreamfold/log';

/** So many of a session's newest events are looked at. Little comes after the one that says that it rests. */
const NEWEST = 8;

interface Unfinished {
  id: string;
  newest: LogEvent;
  /** It asks for something, and nobody has claimed it since. */
  isUntaken: boolean;
  /** The place of the worker that runs it; null where nobody does, or did not say. */
  claimedBy: string | null;
}

/**
 * The sessions that are not at rest, by their newest event. What is finished is not folded, so a few that have nothing to do may be among them.
 */
export async function* unfinishedSessions(log: Log, time: Time): AsyncGenerator<Unfinished, void, undefined> {
  for await (const batch of log.streams('session')) {
    for (const { stream, head } of batch) {
      const events: LogEvent[] = [];
      for await (const some of log.read(stream, { from: Math.max(1, head.seq - NEWEST + 1) })) events.push(...some);
      const newest = events.at(-1);
      if (newest === undefined) continue;
      const rest = events.map(restAfter).findLast((said) => said !== null);
      if (rest === 'ended' || rest === 'waiting') continue;
      const isFree = isUntaken(events);
      yield { id: idOfStream(stream), newest, isUntaken: isFree, claimedBy: isFree ? null : await claimedBy(log, stream, events) };
    }
    // A log that is read in this process never waits for anything: signals and sessions must get their turn.
    await time.sleep(0);
  }
}

/** Who has claimed a session last. Its newest events seldom hold the claim of a long turn, so more are read, eight times as many each time. */
async function claimedBy(log: Log, stream: string, newest: readonly LogEvent[]): Promise<string | null> {
  if (log.partitions === undefined) return null;
  let events = newest;
  for (let size = NEWEST * 8; ; size *= 8) {
    const claim = events.findLast(({ type }) => type === 'session.claimed');
    const known = claim === undefined ? null : knownEvent(claim);
    if (known?.type === 'session.claimed') return known.data?.node ?? null;
    const to = (events[0]?.seq ?? 1) - 1;
    if (to < 1) return null;
    const before: LogEvent[] = [];
    for await (const some of log.read(stream, { from: Math.max(1, to - size + 1), to })) before.push(...some);
    events = before;
  }
}
