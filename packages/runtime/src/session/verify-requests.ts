import { knownEvent, streamOf, type MemoryPin } from '@dreamfold/events';
import { evolveSession, initialSession, threadOf, type PinnedMemory } from '@dreamfold/core';
import type { Log } from '@dreamfold/log';
import { requestDigests } from './decide-context.ts';
import type { RequestDigests } from '../digest.ts';
import { loadSession } from './load-session.ts';
import { frames } from '../perform/prompt-frames.ts';
import { ThreadMemory } from '../perform/thread-memory.ts';

export interface RequestsReport {
  /** Model requests of the session. */
  requests: number;
  /** Those that the log no longer renders to what was sent. */
  differing: { seq: number; threadId: string; recorded: string; rendered: string }[];
}

/**
 * Renders every model request of a session again, from the log alone, and compares its digest with the recorded one.
 * No model and no tool is called.
 * @param log what holds the session
 * @param sessionId its id
 * @param options `to` is the last seq to look at
 * @throws DreamfoldError not_found, store_corrupt (the memory that was pinned is not what it was)
 */
export async function verifyRequests(
  log: Log,
  sessionId: string,
  { pinnedMemory, to }: { pinnedMemory: (pins: readonly MemoryPin[]) => Promise<PinnedMemory[]>; to?: number },
): Promise<RequestsReport> {
  const pinned = await pinnedMemory((await loadSession(log, sessionId, { to })).memory);
  const report: RequestsReport = { requests: 0, differing: [] };
  let digests = digestsWith(pinned);
  let state = initialSession(sessionId);
  for await (const batch of log.read(streamOf('session', sessionId), to === undefined ? {} : { to })) {
    for (const event of batch) {
      const known = knownEvent(event);
      const thread = threadOf(state, event.actor);
      if (known?.type === 'span.model_request_start' && known.data !== null && thread !== undefined) {
        const recorded = known.data.df_request_sha256;
        const rendered = digests.of(state, thread);
        report.requests += 1;
        if (rendered !== recorded) report.differing.push({ seq: event.seq, threadId: thread.id, recorded, rendered });
      }
      state = evolveSession(state, event);
      // Whoever took over with another team renders from its agents on.
      if (event.type === 'session.team_updated') digests = digestsWith(pinned);
    }
  }
  return report;
}

function digestsWith(pinned: readonly PinnedMemory[]): RequestDigests {
  const frameOf = frames();
  return requestDigests(new ThreadMemory(pinned, frameOf), frameOf);
}
