import { EventEmitter } from 'eventemitter3';
import {
  DreamfoldError,
  idFrom,
  isDreamfoldError,
  streamOf,
  type Caps,
  type Criterion,
  type LogEvent,
  type MemoryPin,
  type NewEvent,
} from '@dreamfold/events';
import { initialSession, mustRun, NO_CAPS, recovered, type SessionState, type PinnedMemory } from '@dreamfold/core';
import type { Log } from '@dreamfold/log';
import type { Model } from '@dreamfold/model';
import type { RubricDefinition } from './definitions.ts';
import { sha256 } from './digest.ts';
import { loadSession } from './load-session.ts';
import { SessionProcessor } from './session-processor.ts';
import { Session, type SessionEvents } from './session.ts';
import { changedTools, type Team } from './team.ts';

/** How often a session that runs here looks for what other processes wrote to it. */
const POLL_MS = 100;
const CLAIM_ATTEMPTS = 10;

export interface HostOptions {
  log: Log;
  /** Finds a model by the name that an agent gives. */
  models: (name: string) => Model;
  /** Reads the memory stores at the versions that a session pinned. */
  pinnedMemory: (pins: readonly MemoryPin[]) => Promise<PinnedMemory[]>;
  now: () => number;
  /** From 0 to 1, for jitter. */
  random: () => number;
  uuid: () => string;
}

export interface NewSession {
  team: Team;
  task: string;
  principal?: string;
  title?: string;
  rubric?: RubricDefinition;
  caps?: Partial<Caps>;
  memory?: readonly MemoryPin[];
  /** The same key gives the same session. */
  idempotencyKey?: string;
}

interface Opened {
  session: Session;
  processor: SessionProcessor;
  /** Delivers the events so far, once the caller has had its turn. */
  begin: () => void;
}

/**
 * What `create` refuses before anything is written. A name that no model has is said here, not when the first request is due.
 * @throws DreamfoldError invalid_argument, unknown_model
 */
export function checkTask({ team, task }: Pick<NewSession, 'team' | 'task'>, models: HostOptions['models']): void {
  if (typeof task !== 'string' || task.trim() === '') {
    throw new DreamfoldError('invalid_argument', 'The task is empty', { path: 'task', value: task, remedy: 'Say what is to be done.' });
  }
  for (const { name, model } of team.agents.values()) {
    try {
      if (typeof model === 'string') models(model);
    } catch (error) {
      if (!isDreamfoldError(error)) throw error;
      const { code, message, remedy } = error;
      throw new DreamfoldError(code, `Agent ${name}: ${message}`, { path: `team/${name}/model`, value: model, remedy, cause: error });
    }
  }
}

/** Runs the sessions of one process. */
export class SessionHost {
  readonly #o: HostOptions;
  readonly #active = new Map<string, { processor: SessionProcessor; session: Session }>();
  /** Sessions with a key of the caller's that have no event yet. */
  readonly #beginning = new Map<string, Promise<Session>>();
  #poll: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: HostOptions) {
    this.#o = options;
  }

  /**
   * Starts a session. Resolves once its first events count.
   * @throws DreamfoldError invalid_argument, invalid_rubric, invalid_team, unknown_model, idempotency_conflict (the key was used for
   * another task)
   */
  async create(options: NewSession): Promise<Session> {
    checkTask(options, this.#o.models);
    const key = options.idempotencyKey ?? this.#o.uuid();
    const id = idFrom('session', sha256(key));
    const active = this.#active.get(id);
    const known = this.#beginning.get(id) ?? (active?.processor.failed === false ? active.session : undefined);
    const beginning = known ?? this.#begin(id, options).finally(() => this.#beginning.delete(id));
    if (known === undefined) this.#beginning.set(id, beginning as Promise<Session>);
    const session = await beginning;
    checkSameTask(session.state, options.task);
    return session;
  }

  async #begin(id: string, options: NewSession): Promise<Session> {
    const memory = options.memory ?? [];
    const state = initialSession(id);
    const { session, processor, begin } = this.#open(state, options, await this.#o.pinnedMemory(memory));
    const nonce = this.#o.uuid();
    const first: NewEvent[] = [
      {
        type: 'session.created',
        class: 'open',
        actor: 'user',
        data: {
          ...(options.title === undefined ? {} : { title: options.title }),
          principal: options.principal ?? 'default',
          team: options.team.snapshot,
          caps: { ...NO_CAPS, ...options.caps },
          memory,
        },
      },
      { type: 'session.claimed', class: 'claim', actor: 'system', data: { nonce } },
      options.rubric === undefined
        ? { type: 'user.message', class: 'open', actor: 'user', data: { content: [{ type: 'text', text: options.task }] } }
        : { type: 'user.define_outcome', class: 'open', actor: 'user', data: defineOutcome(id, options.task, options.rubric) },
    ];
    try {
      // The nonce is part of the cause, so a second process with the same key conflicts instead of believing that it owns this.
      await processor.record({ cause: `create/${nonce}`, build: (now) => (now.exists ? [] : first) });
    } catch (error) {
      this.#active.delete(id);
      if (!isDreamfoldError(error, 'fenced')) throw error;
    }
    if (!processor.owns(nonce)) {
      checkSameTask(await loadSession(this.#o.log, id), options.task);
      return this.resume(id, options);
    }
    begin();
    return session;
  }

  /**
   * Takes a session over: claims it, repeats what was under way, and goes on.
   * @throws DreamfoldError not_found, unknown_agent, session_ended for an imported one, unsupported_schema_version for one that a newer Dreamfold wrote
   */
  async resume(id: string, options: Pick<NewSession, 'team' | 'rubric'>): Promise<Session> {
    for (let attempt = 1; ; attempt += 1) {
      const state = await loadSession(this.#o.log, id);
      mustRun(state);
      checkSameAgents(state, options.team);
      const { session, processor, begin } = this.#open(state, options, await this.#o.pinnedMemory(state.memory));
      const nonce = this.#o.uuid();
      try {
        await processor.record({ cause: `claim/${nonce}`, build: (now) => takeOver(now, options.team, nonce) });
        begin();
        return session;
      } catch (error) {
        this.#active.delete(id);
        if (!isDreamfoldError(error, 'fenced') || attempt >= CLAIM_ATTEMPTS) throw error;
      }
    }
  }

  #open(state: SessionState, options: Pick<NewSession, 'team' | 'rubric'>, memory: readonly PinnedMemory[]): Opened {
    if (this.#closed) throw new DreamfoldError('store_unavailable', 'This Dreamfold is closed', { path: 'open', remedy: 'Open it again.' });
    const emitter = new EventEmitter<SessionEvents>();
    const emit = (type: keyof SessionEvents, ...args: unknown[]): void => {
      try {
        (emitter.emit as (type: string, ...args: unknown[]) => boolean).call(emitter, type, ...args);
      } catch (error) {
        // A listener that throws is a fault of the program, which hears of it; the session goes on.
        queueMicrotask(() => {
          throw error;
        });
      }
    };
    // Whoever starts a session adds listeners when it has begun; they hear its first events all the same.
    let held: LogEvent[] | null = [];
    const deliver = (event: LogEvent): void => {
      emit(event.type as keyof SessionEvents, event);
      emit('event', event);
      if (event.type === 'session.status_idle') this.#rest(state.id, processor);
    };
    let begun: Promise<void> = Promise.resolve();
    const begin = (): void => {
      begun = new Promise((resolve) => {
        setImmediate(() => {
          const events = held ?? [];
          held = null;
          events.forEach(deliver);
          resolve();
        });
      });
    };
    const processor = new SessionProcessor(
      {
        log: this.#o.log,
        team: options.team,
        modelFor: ({ model }) => (typeof model === 'string' ? this.#o.models(model) : model),
        rubric: options.rubric ?? null,
        memory,
        now: this.#o.now,
        random: this.#o.random,
        onEvent: (event: LogEvent) => {
          if (held === null) deliver(event);
          else held.push(event);
        },
        onDelta: (threadId, text) => emit('delta', { threadId, text }),
      },
      state,
    );
    const wake = (): void => this.#watch(session, processor);
    const session = new Session(state.id, { processor, emitter, log: this.#o.log, wake, heard: () => begun });
    wake();
    return { session, processor, begin };
  }

  #watch(session: Session, processor: SessionProcessor): void {
    this.#active.set(session.id, { session, processor });
    if (this.#poll !== null || !this.#o.log.capabilities.shared || this.#closed) return;
    this.#poll = setInterval(() => void this.#lookForOthers(), POLL_MS);
    this.#poll.unref();
  }

  /** An idle session costs nothing, unless it waits for a person, whose word may come from another process. */
  #rest(id: string, processor: SessionProcessor): void {
    const { status, stopReason } = processor.state;
    const rests = status === 'idle' && stopReason?.type !== 'requires_action';
    if (rests && this.#active.get(id)?.processor === processor) this.#active.delete(id);
    if (this.#active.size > 0 || this.#poll === null) return;
    clearInterval(this.#poll);
    this.#poll = null;
  }

  async #lookForOthers(): Promise<void> {
    for (const [id, { processor }] of this.#active) {
      await this.noticeOthers(id).catch((error: unknown) => processor.stop(error as Error));
    }
  }

  /** Reads what was written to a session past this host, when it runs here. */
  async noticeOthers(id: string): Promise<void> {
    const processor = this.#active.get(id)?.processor;
    if (processor === undefined || processor.writing) return;
    const head = await this.#o.log.head(streamOf('session', id));
    if (head.seq > processor.state.seq && !processor.writing) await processor.sync();
  }

  /** Stops all work without a word on the log; sessions go on when they are resumed. */
  close(): void {
    this.#closed = true;
    if (this.#poll !== null) clearInterval(this.#poll);
    for (const { processor } of this.#active.values()) processor.stop(new Error('the session was closed before it was done'));
    this.#active.clear();
  }
}

function checkSameTask(state: SessionState, task: string): void {
  const begun = state.outcome?.description ?? state.threads[0]?.task;
  if (begun === task) return;
  throw new DreamfoldError('idempotency_conflict', `The idempotency key of ${state.id} was used for another task`, {
    path: 'idempotencyKey',
    value: begun?.slice(0, 120),
    remedy: 'Use a key of its own for each task.',
  });
}

/** The lead and what runs go on as the agents that they are; a specialist that is done may be gone. */
function checkSameAgents({ id, threads }: SessionState, { agents, snapshot }: Team): void {
  const missing = [...new Set(threads.filter(({ parent, running }) => parent === null || running).map(({ agent }) => agent))].filter(
    (name) => !agents.has(name),
  );
  if (missing.length === 0) return;
  throw new DreamfoldError('unknown_agent', `The team of ${snapshot.lead} lacks agents of ${id}: ${missing.join(', ')}`, {
    path: 'team',
    value: missing,
    remedy: 'Resume it with the team that it was started with; its agents may change, but not their names.',
  });
}

function takeOver(state: SessionState, team: Team, nonce: string): NewEvent[] {
  const sameTeam = JSON.stringify(state.team) === JSON.stringify(team.snapshot);
  return [
    { type: 'session.claimed', class: 'claim', actor: 'system', data: { nonce } },
    ...(sameTeam
      ? []
      : [
          {
            type: 'session.team_updated',
            class: 'owner' as const,
            actor: 'system',
            data: { team: team.snapshot, changed_tools: changedTools(state.team, team.snapshot) },
          },
        ]),
    ...recovered(state),
  ];
}

function defineOutcome(sessionId: string, task: string, rubric: RubricDefinition): unknown {
  const criteria: Criterion[] = rubric.criteria.map(({ id, ask, weight, grader }) => ({
    id,
    ask,
    weight,
    grader:
      grader.kind === 'code'
        ? { kind: 'code', name: grader.name }
        : grader.kind === 'model'
          ? { kind: 'model', model: typeof grader.model === 'string' ? grader.model : 'custom' }
          : { kind: 'person' },
  }));
  const lines = criteria.map((c) => `- ${c.id} (weight ${c.weight}): ${c.ask}`);
  return {
    outcome_id: idFrom('outcome', sha256(`${sessionId}/outcome`)),
    description: task,
    rubric: { type: 'text', content: [rubric.text, ...lines].filter((line) => line !== '').join('\n') },
    max_iterations: rubric.maxIterations,
    df_criteria: criteria,
    df_pass_score: rubric.passScore,
  };
}
