import type { Command } from 'commander';
import { streamOf, type LogEvent } from '@dreamfold/events';
import { evolveSession, initialSession, type SessionState } from '@dreamfold/core';
import { cursorAtStart, type Dreamfold } from 'dreamfold';
import { withData } from '../../data-directory.ts';
import { defineCommand, wholeNumber } from '../../define-command.ts';
import { EventLines } from '../../render/event-lines.ts';
import { findSession } from '../../session/find-session.ts';
import type { Io } from '../../io.ts';
import { isUnattended, isoTime } from '@dreamfold/views';

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'tail [session]',
    summary: 'follow events as they are written',
    description:
      'With SESSION: all its events from the first one, then live, until the session has come to rest. Without: what is written from now on to any session, until Ctrl-C. Works beside the process that runs the sessions.',
    examples: ['tail', 'tail sesn_4k2', 'tail --limit 100 --json'],
  })
    .option('--limit <n>', 'end after N events', wholeNumber(1))
    .action((prefix: string | undefined, { limit }: { limit?: number }, command: Command) =>
      withData(command, { io, readOnly: true }, async (dreamfold) => {
        const id = prefix === undefined ? null : await findSession(dreamfold, prefix);
        await tail(dreamfold, { id, limit: limit ?? Number.POSITIVE_INFINITY, io });
      }),
    );
}

/** How often it is asked whether the process that runs a session is still there. */
const LOOK_MS = 1000;
/** After this time without an event, what is not known is said. */
const QUIET_MS = 60_000;

interface Tail {
  id: string | null;
  limit: number;
  io: Io;
}

async function tail(dreamfold: Dreamfold, { id, limit, io }: Tail): Promise<void> {
  const ended = new AbortController();
  const onSignal = (): void => ended.abort();
  process.once('SIGINT', onSignal);
  const printer: Printer = id === null ? new AllSessions(dreamfold, io) : new OneSession(id, io);
  const after = id === null ? await dreamfold.log.cursor() : cursorAtStart(dreamfold.log.capabilities.partitions);
  const stream = id === null ? {} : { stream: streamOf('session', id) };
  let count = 0;
  const watch = setInterval(() => printer.tellUnattended?.(dreamfold), LOOK_MS);
  if (io.json) await io.write('{"events": [');
  try {
    for await (const batch of dreamfold.log.subscribe({ after, ...stream, signal: ended.signal })) {
      for (const event of batch.filter((e) => e.stream.startsWith('session/')).slice(0, limit - count)) {
        if (io.json) await io.write(`${count === 0 ? '' : ','}\n${JSON.stringify(event)}`);
        await printer.print(event);
        count += 1;
      }
      if (count >= limit || (await printer.isOver(dreamfold))) break;
    }
  } finally {
    clearInterval(watch);
    process.off('SIGINT', onSignal);
    if (io.json) await io.write('\n]}\n');
  }
}

interface Printer {
  print(event: LogEvent): Promise<void>;
  isOver(dreamfold: Dreamfold): Promise<boolean>;
  /** Says once that what is waited for may never come. */
  tellUnattended?(dreamfold: Dreamfold): void;
}

class OneSession implements Printer {
  readonly #io: Io;
  readonly #lines: EventLines;
  #state: SessionState;
  /** After which event it was said that nobody goes on. */
  #saidAt = -1;

  constructor(id: string, io: Io) {
    this.#io = io;
    this.#lines = new EventLines(io);
    this.#state = initialSession(id);
  }

  async print(event: LogEvent): Promise<void> {
    this.#state = evolveSession(this.#state, event);
    for (const line of this.#lines.of(event)) this.#io.line(line);
  }

  tellUnattended(dreamfold: Dreamfold): void {
    const { id, seq, now, status } = this.#state;
    if (this.#saidAt === seq || seq === 0) return;
    const processor = dreamfold.processor();
    if (isUnattended(this.#state, processor)) {
      this.#io.note(`Nobody runs this session. This waits until somebody does: ${this.#io.typed(`resume ${id} FILE`)}`);
    } else if (processor === 'unknown' && status === 'running' && Date.now() - now > QUIET_MS) {
      this.#io.note(`Its newest event is of ${isoTime(now)}. Whether a process still runs it cannot be seen here.`);
    } else return;
    this.#saidAt = seq;
  }

  /** True when the session rests and nothing more of it is on the log. */
  async isOver(dreamfold: Dreamfold): Promise<boolean> {
    const { status, stopReason, id, seq } = this.#state;
    if (status === 'running' || stopReason === null || stopReason.type === 'requires_action') return false;
    return (await dreamfold.log.head(streamOf('session', id))).seq === seq;
  }
}

class AllSessions implements Printer {
  readonly #dreamfold: Dreamfold;
  readonly #io: Io;
  readonly #lines = new Map<string, EventLines>();

  constructor(dreamfold: Dreamfold, io: Io) {
    this.#dreamfold = dreamfold;
    this.#io = io;
  }

  async print(event: LogEvent): Promise<void> {
    let lines = this.#lines.get(event.stream);
    if (lines === undefined) {
      lines = new EventLines(this.#io);
      this.#lines.set(event.stream, lines);
      for await (const batch of this.#dreamfold.log.read(event.stream, { to: event.seq - 1 }))
        for (const earlier of batch) lines.of(earlier);
    }
    const id = event.stream.slice('session/'.length);
    for (const line of lines.of(event)) this.#io.line(line, `${this.#io.paint('dim', id)}  `);
  }

  async isOver(): Promise<boolean> {
    return false;
  }
}
