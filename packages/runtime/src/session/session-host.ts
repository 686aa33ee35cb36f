import { EventEmitter } from 'eventemitter3';
import {
  DreamfoldError,
  idFrom,
  idOfStream,
  isDreamfoldError,
  streamOf,
  type Content,
  type LogEvent,
  type MemoryPin,
  type SessionClaimed,
} from '@dreamfold/events';
import { givenContent, initialSession, mustRun, type GivenBlock, type PinnedMemory, type SessionState } from '@dreamfold/core';
import type { AppendNotice } from '@dreamfold/log';
import type { Model } from '@dreamfold/model';
import { storeContent } from '../content-blobs.ts';
import { sha256 } from '../digest.ts';
import { loadSession } from './load-session.ts';
import { beginningOf, checkModels, checkSameTask, checkTaken, checkTask, sessionIdOf, type NewSession } from './new-session.ts';
import { safely } from '../safely.ts';
import { SessionProcessor } from './session-processor.ts';
import { Session, type SessionEvents } from './session.ts';
import { checkSameAgents, claim, takeOver } from './take-over.ts';
import type { LogInTime } from '../time/surroundings.ts';

const CLAIM_ATTEMPTS = 10;

export interface HostOptions extends LogInTime {
  /** Finds a model by the name that an agent gives. */
  models: (name: string) => Model;
  /** Reads the memory stores at the versions that a session pinned. */
  pinnedMemory: (pins: readonly MemoryPin[]) => Promise<PinnedMemory[]>;
  uuid: () => string;
}

/** A session as a user asks for it: its task is in words, or in blocks. */
export type GivenSession = Omit<NewSession, 'task'> & { task: string | readonly GivenBlock[] };

/** How a session goes on: with which team, and with which graders in code. */
export type SessionTeam = Pick<NewSession, 'team' | 'rubric'>;

export interface SessionListener {
  /** @param runsHere whether this host runs the session, and so has heard of the event */
  onEvent: (event: LogEvent, runsHere: boolean) => void;
  /** The log cannot be followed any further. Sessions that ran here fail with the same error. */
  onFailed: (error: unknown) => void;
}

interface Opened {
  session: Session;
  processor: SessionProcessor;
  /** Delivers the events so far, once the caller has had its turn. */
  begin: () => void;
}

/** Runs the sessions of one process. */
export class SessionHost {
  readonly #o: HostOptions;
  readonly #active = new Map<string, { processor: SessionProcessor; session: Session }>();
  /** Sessions with a key of the caller's that have no event yet. */
  readonly #beginning = new Map<string, Promise<Session>>();
  /** Sessions that are being taken: one at a time, so that one processor at most is left. */
  readonly #taking = new Map<string, Promise<Session | null>>();
  /** Ends watching the log; null while nobody wants to hear of it. */
  #unwatch: (() => void) | null = null;
  readonly #listeners = new Set<SessionListener>();
  #closed = false;

  constructor(options: HostOptions) {
    this.#o = options;
  }

  /** @throws DreamfoldError unknown_model, config_invalid */
  checkModels(sessionTeam: SessionTeam): void {
    checkModels(sessionTeam, this.#o.models);
  }

  /**
   * Starts a session. Resolves once its first events count.
   * @throws DreamfoldError invalid_argument, invalid_rubric, invalid_team, unknown_model, idempotency_conflict (the key was used for
   * another task)
   */
  async create(given: GivenSession): Promise<Session> {
    const asked = this.#asked(given);
    const options = asked instanceof Promise ? await asked : asked;
    const id = sessionIdOf(options.idempotencyKey ?? this.#o.uuid());
    const active = this.#active.get(id);
    const known = this.#beginning.get(id) ?? (active?.processor.failed === false ? active.session : undefined);
    if (known !== undefined) {
      const session = await known;
      await checkSameTask(this.#o.log, id, options.task);
      return session;
    }
    const beginning = this.#begin(id, options).finally(() => this.#beginning.delete(id));
    this.#beginning.set(id, beginning);
    return beginning;
  }

  /** What is asked for, once nothing speaks against it: only then is the data of its blocks stored. */
  #asked({ task, ...rest }: GivenSession): NewSession | Promise<NewSession> {
    const options: NewSession = { ...rest, task: Array.isArray(task) ? givenContent(task, 'task') : (task as string) };
    checkTask(options, this.#o.models);
    if (!Array.isArray(options.task)) return options;
    return storeContent(this.#o.log.blobs, options.task, 'task').then((stored) => ({ ...options, task: stored }));
  }

  /**
   * Puts a session on the log for whoever runs sessions there, and runs nothing.
   * @returns its id, once its first events count
   * @throws as `create` does
   */
  async submit(given: GivenSession): Promise<string> {
    const options = await this.#asked(given);
    const id = sessionIdOf(options.idempotencyKey ?? this.#o.uuid());
    const stream = streamOf('session', id);
    const appendId = idFrom('event', sha256(`${stream}/submit`));
    try {
      await this.#o.log.append({ stream, id: appendId, expected: 0, events: beginningOf(id, options), time: this.#o.time.now() });
    } catch (error) {
      if (!isDreamfoldError(error, 'head_conflict') && !isDreamfoldError(error, 'idempotency_conflict')) throw error;
      await checkSameTask(this.#o.log, id, options.task);
    }
    return id;
  }

  async #begin(id: string, options: NewSession): Promise<Session> {
    const { session, processor, begin } = this.#open(initialSession(id), options, await this.#o.pinnedMemory(options.memory ?? []));
    const nonce = this.#o.uuid();
    const [created, asked] = beginningOf(id, options);
    try {
      // The nonce is part of the cause, so a second process with the same key conflicts instead of believing that it owns this.
      await processor.record({ cause: `create/${nonce}`, build: (now) => (now.exists ? [] : [created, claim({ nonce }), asked]) });
    } catch (error) {
      this.#drop(id, processor);
      if (!isDreamfoldError(error, 'fenced')) throw error;
    }
    if (!processor.owns(nonce)) {
      this.#drop(id, processor);
      await checkSameTask(this.#o.log, id, options.task);
      return this.resume(id, options);
    }
    begin();
    return session;
  }

  /**
   * Takes a session over: claims it, repeats what was under way, and goes on.
   * @throws DreamfoldError not_found, unknown_agent, session_ended for an imported one, unsupported_schema_version for one that a newer Dreamfold wrote
   */
  async resume(id: string, options: SessionTeam): Promise<Session> {
    const always = (state: SessionState): SessionTeam => {
      mustRun(state);
      return options;
    };
    await this.#taking.get(id)?.catch(() => null);
    const session = await this.#claim(id, { choose: always, leaves: false, said: {} });
    return session!;
  }

  /**
   * Takes a session over as `resume` does if somebody has to, and lets go of it whenever it is at rest, also when it waits for a person.
   * @param choose the team that it goes on with; null to leave it alone. Asked again when others write to it meanwhile.
   * @param options.untaken its claim says that nobody took up what was asked
   * @returns null when it was left alone, or runs here
   * @throws DreamfoldError as `resume` does, and what `choose` throws
   */
  async take(
    id: string,
    choose: (state: SessionState) => SessionTeam | null,
    options: { untaken?: boolean } = {},
  ): Promise<Session | null> {
    if (this.#active.has(id) || this.#beginning.has(id) || this.#taking.has(id)) return null;
    const node = this.#o.log.partitions?.node;
    const said = {
      worker: true as const,
      ...(options.untaken === true ? { untaken: true as const } : {}),
      ...(node === undefined ? {} : { node }),
    };
    const taking = this.#claim(id, { choose, leaves: true, said }).finally(() => this.#taking.delete(id));
    this.#taking.set(id, taking);
    return taking;
  }

  async #claim(
    id: string,
    { choose, leaves, said }: { choose: (state: SessionState) => SessionTeam | null; leaves: boolean; said: Omit<SessionClaimed, 'nonce'> },
  ): Promise<Session | null> {
    for (let attempt = 1; ; attempt += 1) {
      const state = await loadSession(this.#o.log, id);
      const chosen = choose(state);
      if (chosen === null) return null;
      checkSameAgents(state, chosen.team);
      const { session, processor, begin } = this.#open(state, { ...chosen, leaves }, await this.#o.pinnedMemory(state.memory));
      const nonce = this.#o.uuid();
      try {
        await processor.record({
          cause: `claim/${nonce}`,
          build: (now) => (choose(now) === null ? [] : takeOver(now, chosen.team, { nonce, ...said })),
        });
      } catch (error) {
        this.#drop(id, processor);
        if (!isDreamfoldError(error, 'fenced') || attempt >= CLAIM_ATTEMPTS) throw error;
        continue;
      }
      if (processor.owns(nonce)) {
        begin();
        return session;
      }
      this.#drop(id, processor);
      return null;
    }
  }

  #open(state: SessionState, options: SessionTeam & { leaves?: boolean }, memory: readonly PinnedMemory[]): Opened {
    if (this.#closed) throw new DreamfoldError('store_unavailable', 'This Dreamfold is closed', { path: 'open', remedy: 'Open it again.' });
    const { id } = state;
    const { log, models, time, random } = this.#o;
    const emitter = new EventEmitter<SessionEvents>();
    const emit = safely((type: keyof SessionEvents, ...args: unknown[]) => {
      (emitter.emit as (type: string, ...args: unknown[]) => boolean).call(emitter, type, ...args);
    });
    // Whoever starts a session adds listeners when it has begun; they hear its first events all the same.
    let held: { readonly events: readonly LogEvent[] }[] | null = [];
    const deliver = (added: { readonly events: readonly LogEvent[] }): void => {
      // Events are made when they are looked at: for nobody, none.
      if (emitter.eventNames().length === 0) return;
      for (const event of added.events) {
        emit(event.type as keyof SessionEvents, event);
        emit('event', event);
      }
    };
    let begun: Promise<void> = Promise.resolve();
    const begin = (): void => {
      begun = new Promise((resolve) => {
        time.after(0, () => {
          const added = held ?? [];
          held = null;
          added.forEach(deliver);
          resolve();
        });
      });
    };
    const onRest = (): void => this.#onRest(id, { processor, leaves: options.leaves ?? false });
    const processor = new SessionProcessor(
      {
        log,
        team: options.team,
        modelFor: ({ model }) => (typeof model === 'string' ? models(model) : model),
        rubric: options.rubric ?? null,
        memory,
        time,
        random,
        onEvents: (added) => {
          if (held === null) deliver(added);
          else held.push(added);
        },
        onDelta: (threadId, text) => emit('delta', { threadId, text }),
        onRest,
      },
      state,
    );
    const wake = (): void => {
      this.#keep(session, processor);
      // Nobody has listened while it was at rest.
      this.noticeOthers(id).catch((error: unknown) => processor.stop(error as Error));
      if (!processor.busy) onRest();
    };
    const { agents, snapshot } = options.team;
    const checkMessage = (content: Content): void => checkTaken(content, { agent: agents.get(snapshot.lead)!, models, path: 'message' });
    const session = new Session(id, { processor, emitter, on: { log, time, random }, wake, heard: () => begun, checkMessage });
    this.#keep(session, processor);
    return { session, processor, begin };
  }

  #keep(session: Session, processor: SessionProcessor): void {
    if (this.#closed) return;
    this.#active.set(session.id, { session, processor });
    this.#watchLog();
  }

  /** A session at rest costs nothing, unless it waits here for a person, whose word may come from another process. */
  #onRest(id: string, { processor, leaves }: { processor: SessionProcessor; leaves: boolean }): void {
    if (leaves || processor.failed || processor.state.stopReason?.type !== 'requires_action') this.#drop(id, processor);
  }

  #drop(id: string, processor: SessionProcessor): void {
    if (this.#active.get(id)?.processor !== processor) return;
    this.#active.delete(id);
    this.#unwatchIfUnheard();
  }

  #watchLog(): void {
    this.#unwatch ??= this.#o.log.watch({
      onAppended: (notice) => this.#hear(notice),
      onFailed: (error) => this.#lose(error),
    });
  }

  #unwatchLog(): void {
    this.#unwatch?.();
    this.#unwatch = null;
  }

  #unwatchIfUnheard(): void {
    if (this.#active.size === 0 && this.#listeners.size === 0) this.#unwatchLog();
  }

  #hear(notice: AppendNotice): void {
    if (!notice.stream.startsWith('session/')) return;
    const processor = this.#active.get(idOfStream(notice.stream))?.processor;
    processor?.notice(notice.seq);
    for (const { onEvent } of this.#listeners) for (const event of notice.events) onEvent(event, processor !== undefined);
  }

  #lose(error: unknown): void {
    this.#unwatchLog();
    for (const { processor } of this.#active.values()) processor.stop(error as Error);
    for (const { onFailed } of this.#listeners) onFailed(error);
  }

  /**
   * Hears every event of a session that is appended from now on.
   * @returns what ends it
   */
  listen(listener: SessionListener): () => void {
    this.#listeners.add(listener);
    this.#watchLog();
    return () => {
      this.#listeners.delete(listener);
      this.#unwatchIfUnheard();
    };
  }

  /** Reads what was written to a session past this host, when it runs here. */
  async noticeOthers(id: string): Promise<void> {
    const processor = this.#active.get(id)?.processor;
    if (processor === undefined) return;
    const { seq } = await this.#o.log.head(streamOf('session', id));
    if (processor.writing) processor.notice(seq);
    else if (seq > processor.state.seq) await processor.sync();
  }

  /** Stops all work on some sessions without a word on the log, as a process that dies would: they go on where they are resumed. */
  release(ids: Iterable<string>): void {
    for (const id of ids) this.#active.get(id)?.processor.stop(new Error('the session was closed before it was done'));
  }

  /** Stops all work without a word on the log; sessions go on when they are resumed. */
  close(): void {
    this.#closed = true;
    this.#unwatchLog();
    this.release([...this.#active.keys()]);
  }
}
