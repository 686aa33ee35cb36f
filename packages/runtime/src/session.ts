import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'eventemitter3';
import type { EventType, FeedbackRecorded, KnownEvent, LogEvent, ModelUsage, NewEvent, StopReason } from '@dreamfold/events';
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
import { unlessDecided } from './decided-before.ts';
import { operator } from './operator.ts';
import { recordFeedbackOn } from './session-commands.ts';
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

  /**
   * Allows a call that waits for a person.
   * @param options.input what the call is to run with, in the place of the input that was asked for: the whole of it. The model is told.
   * @param options.callHash of the call that was shown, so that no other one is approved
   * @param options.by who says so; default the operating system's user
   * @throws DreamfoldError approval_not_found, approval_already_used, approval_stale; of an input: invalid_tool_input, budget_exceeded
   */
  async approve(toolUseId: string, options: Partial<Pick<Confirmation, 'callHash' | 'by' | 'input'>> = {}): Promise<void> {
    await this.#confirm({ toolUseId, result: 'allow', ...options });
  }

  /**
   * Refuses a call that waits for a person; the model is told, with `message` when there is one.
   * @throws DreamfoldError approval_not_found, approval_already_used, approval_stale
   */
  async deny(toolUseId: string, options: Partial<Pick<Confirmation, 'callHash' | 'by' | 'message'>> = {}): Promise<void> {
    await this.#confirm({ toolUseId, result: 'deny', ...options });
  }

  async #confirm({ by = operator(), ...confirmation }: Omit<Confirmation, 'by'> & { by?: string }): Promise<void> {
    const { context } = this.#processor;
    const build = (state: SessionState): NewEvent[] =>
      confirmTool(state, { ...confirmation, by }, (...given) => context.checkInput(...given));
    const call = { sessionId: this.id, toolUseId: confirmation.toolUseId };
    await unlessDecided(this.#log, call, () => this.#command(confirmation.result, build));
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

  /** Waits for the next event of the session, whoever writes it; `state` holds it then. Rejects when the session can't go on here. */
  changed(): Promise<void> {
    return this.#processor.changed();
  }

  async #command(name: string, build: (state: SessionState) => NewEvent[], key: string = randomUUID()): Promise<void> {
    await this.#processor.record({ cause: `${name}/${key}`, build });
    this.#wake();
  }
}
