import { knownEvent, streamOf, textOf, type LogEvent } from '@dreamfold/events';
import { parseRef, SessionReader, type Cited, type CitedSession, type Episode, type Suggestion } from '@dreamfold/dreaming';
import { restAfter } from '@dreamfold/core';
import { seenBy, type Cursor, type Log } from '@dreamfold/log';
import { noSession } from '../session/load-session.ts';

type OnProgress = (done: number, total: number) => void;

/** Reads sessions from the log for a dream, and counts the events that it reads. */
export class SessionReview {
  readonly #log: Log;
  events = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * The finished sessions of which something happened in a range of the log, in the order of their first event there. Each event of the
   * range is read once; of a session that began before it, what came before is read again.
   */
  async range({ after, through }: { after: Cursor; through: Cursor }, onProgress?: OnProgress): Promise<Episode[]> {
    const total = seenBy(through) - seenBy(after);
    let done = 0;
    const readers = new Map<string, SessionReader>();
    for await (const batch of this.#log.readRange(after, through)) {
      for (const event of batch) {
        this.events += 1;
        if (!event.stream.startsWith('session/') || event.type === 'log.erased') continue;
        let reader = readers.get(event.stream);
        if (reader === undefined) {
          // A question says nothing new of what had ended before it; the session is read when that has an answer.
          if (restAfter(event) === 'asked') continue;
          reader = event.seq === 1 ? new SessionReader() : await this.#readerOf(event.stream, event.seq - 1);
          readers.set(event.stream, reader);
        }
        reader.add(event);
      }
      done += batch.length;
      onProgress?.(done, total);
    }
    return [...readers.values()].flatMap((reader) => reader.episode() ?? []);
  }

  /** Named sessions, those that are finished. @throws DreamfoldError not_found */
  async named(sessions: readonly string[], onProgress?: OnProgress): Promise<Episode[]> {
    const episodes: Episode[] = [];
    for (const [done, id] of sessions.entries()) {
      const reader = await this.#readerOf(streamOf('session', id));
      if (reader.seq === 0) throw noSession(id);
      const episode = reader.episode();
      if (episode !== null) episodes.push(episode);
      onProgress?.(done + 1, sessions.length);
    }
    return episodes;
  }

  /** A session as it stood at an event. @returns null when it is not there any more */
  async upTo(sessionId: string, throughSeq: number): Promise<Episode | null> {
    return (await this.#readerOf(streamOf('session', sessionId), throughSeq)).episode();
  }

  /** The sessions that suggestions cite, those that are there. */
  async cited(suggestions: readonly Pick<Suggestion, 'evidence'>[]): Promise<Cited> {
    const cited = new Map<string, CitedSession>();
    for (const { session } of suggestions.flatMap(({ evidence }) => evidence).map(parseRef)) {
      if (session === null || cited.has(session)) continue;
      const reader = await this.#readerOf(streamOf('session', session));
      if (reader.seq > 0) cited.set(session, { seq: reader.seq, episode: reader.episode() });
    }
    return cited;
  }

  /** What users, tools and models said in some sessions: nothing that a memory may copy. */
  async untrustedTexts(sessions: Iterable<string>): Promise<string[]> {
    const texts: string[] = [];
    for (const session of new Set(sessions)) {
      for await (const batch of this.#log.read(streamOf('session', session))) {
        this.events += batch.length;
        for (const event of batch) texts.push(...textsIn(event));
      }
    }
    return texts;
  }

  async #readerOf(stream: string, to?: number): Promise<SessionReader> {
    const reader = new SessionReader();
    for await (const batch of this.#log.read(stream, to === undefined ? {} : { to })) {
      this.events += batch.length;
      for (const event of batch) reader.add(event);
    }
    return reader;
  }
}

function textsIn(logged: LogEvent): string[] {
  const event = knownEvent(logged);
  if (event === null || event.data === null) return [];
  switch (event.type) {
    case 'user.message':
    case 'agent.message':
    case 'agent.tool_result':
    case 'agent.thread_message_sent':
      return [textOf(event.data.content)];
    case 'user.define_outcome':
      return [event.data.description];
    default:
      return [];
  }
}
