import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'eventemitter3';
import {
  arg,
  CATALOGUE,
  checkMethods,
  functionOf,
  oneOf,
  optionsOf,
  Text,
  type EventType,
  type FeedbackRecorded,
  type KnownEvent,
  type LogEvent,
  type ModelUsage,
  type NewEvent,
  type StopReason,
} from '@dreamfold/events';
import {
  bestAttempt,
  confirmTool,
  interrupt,
  judge,
  sendMessage,
  type Attempt,
  type Confirmation,
  type Judgement,
  type SessionState,
} from '@dreamfold/core';
import type { Log } from '@dreamfold/log';
import { z } from 'zod';
import { FeedbackShape, JudgementShape, recordFeedbackOn } from './session-commands.ts';
import type { SessionProcessor } from './session-processor.ts';

/** What listeners get: each event by its type, every event as `event`, and text as it arrives as `delta` (never stored). */
export type SessionEvents = { [T in EventType]: [event: KnownEvent<T>] } & {
  event: [event: LogEvent];
  delta: [delta: { threadId: string; text: string }];
};

export interface SessionResult {
  sessionId: string;
  /** The best attempt when there is an outcome, otherwise the lead's last message. */
  text: string;
  stopReason: StopReason;
  outcome: { result: string; score: number | null; best: Attempt | null; attempts: readonly Attempt[] } | null;
  usage: ModelUsage & { costUsd: number | null; modelCalls: number; toolCalls: number };
  error: string | null;
}

const LISTENED = ['event', 'delta', ...(Object.keys(CATALOGUE) as EventType[])] as const;

/** What became of a session so far. */
export function resultOf(state: SessionState): SessionResult {
  const { outcome, usage } = state;
  const best = outcome === null ? null : bestAttempt(outcome);
  return {
    sessionId: state.id,
    text: best?.text ?? state.threads[0]?.lastMessage?.text ?? '',
    stopReason: state.stopReason ?? { type: 'end_turn' },
    outcome:
      outcome === null ? null : { result: outcome.result ?? outcome.status, score: best?.score ?? null, best, attempts: outcome.attempts },
    usage,
    error: state.error,
  };
}

/** A session that this process runs. */
export class Session {
  readonly id: string;
  readonly #processor: SessionProcessor;
  readonly #emitter: EventEmitter<SessionEvents>;
  readonly #log: Log;
  readonly #wake: () => void;
  readonly #heard: () => Promise<void>;

  constructor(
    id: string,
    parts: { processor: SessionProcessor; emitter: EventEmitter<SessionEvents>; log: Log; wake: () => void; heard: () => Promise<void> },
  ) {
    this.id = id;
    this.#processor = parts.processor;
    this.#emitter = parts.emitter;
    this.#log = parts.log;
    this.#wake = parts.wake;
    this.#heard = parts.heard;
  }

  get state(): SessionState {
    return this.#processor.state;
  }

  /** Listens to one type of event of all threads, to `event` for every one, or to `delta`. Returns a function that stops it. */
  on<T extends keyof SessionEvents>(type: T, listener: (...args: SessionEvents[T]) => void): () => void {
    const heard = listener as (...args: unknown[]) => void;
    this.#emitter.on(type, heard);
    return () => this.#emitter.off(type, heard);
  }

  /**
   * Sends a message to the lead; it is queued while the lead is busy.
   * @param options.idempotencyKey the same key counts once
   * @throws DreamfoldError session_ended, session_busy, budget_exceeded
   */
  async send(message: string, options: { ifBusy?: 'queue' | 'reject'; idempotencyKey?: string } = {}): Promise<void> {
    await this.#command('message', (state) => sendMessage(state, message, options.ifBusy), options.idempotencyKey);
  }

  /** Stops the session, or one thread and what is under it. Nothing new starts once this resolves. */
  async interrupt(threadId?: string): Promise<void> {
    await this.#command('interrupt', (state) => interrupt(state, threadId));
  }

  /** @throws DreamfoldError approval_not_found, approval_already_used, approval_stale */
  async approve(toolUseId: string, options: Pick<Confirmation, 'callHash' | 'by'> = {}): Promise<void> {
    await this.#command('approve', (state) => confirmTool(state, { toolUseId, result: 'allow', ...options }));
  }

  /** @throws DreamfoldError approval_not_found, approval_already_used, approval_stale */
  async deny(toolUseId: string, options: Pick<Confirmation, 'callHash' | 'by' | 'message'> = {}): Promise<void> {
    await this.#command('deny', (state) => confirmTool(state, { toolUseId, result: 'deny', ...options }));
  }

  /** A person's score of a criterion that waits for one. */
  async judge(judgement: Judgement): Promise<void> {
    await this.#command('judge', (state) => judge(state, judgement));
  }

  /** What came of an event of this session later. */
  async feedback(feedback: FeedbackRecorded): Promise<void> {
    await recordFeedbackOn(this.#log, this.id, feedback);
  }

  /** Waits until the session is idle, finished or waiting for a person (see `stopReason`), and its listeners have heard everything. */
  async done(): Promise<SessionResult> {
    await this.#processor.idle();
    await this.#heard();
    return resultOf(this.state);
  }

  async #command(name: string, build: (state: SessionState) => NewEvent[], key: string = randomUUID()): Promise<void> {
    await this.#processor.record({ cause: `${name}/${key}`, build });
    this.#wake();
  }
}

const Approval = { callHash: z.string().optional(), by: Text.optional() };
const toolUseId = arg('toolUseId', Text);
type SendOptions = NonNullable<Parameters<Session['send']>[1]>;

checkMethods(Session, 'session', {
  on: [arg('type', oneOf<keyof SessionEvents>('a type of event, event or delta', LISTENED)), arg('listener', functionOf<never>())],
  send: [
    arg('message', z.string()),
    arg('options', optionsOf<SendOptions>({ ifBusy: z.enum(['queue', 'reject']).optional(), idempotencyKey: Text.optional() }).optional()),
  ],
  interrupt: [arg('threadId', Text.optional())],
  approve: [toolUseId, arg('options', optionsOf<Pick<Confirmation, 'callHash' | 'by'>>(Approval).optional())],
  deny: [
    toolUseId,
    arg(
      'options',
      optionsOf<Pick<Confirmation, 'callHash' | 'by' | 'message'>>({ ...Approval, message: z.string().optional() }).optional(),
    ),
  ],
  judge: [arg('judgement', JudgementShape)],
  feedback: [arg('feedback', FeedbackShape)],
  done: [],
});
