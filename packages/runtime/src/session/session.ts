import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'eventemitter3';
import {
  arg,
  asItIs,
  CATALOGUE,
  checkMethods,
  functionOf,
  oneOf,
  optionsOf,
  Text,
  type Content,
  type EventType,
  type FeedbackRecorded,
  type KnownEvent,
  type ModelUsage,
  type NewEvent,
  type SessionEvent,
  type StopReason,
} from '@dreamfold/events';
import {
  answerOfTurn,
  askForOutcome,
  bestAttempt,
  confirmTool,
  givenContent,
  interrupt,
  judge,
  outcomeOfTurn,
  sendMessage,
  type Attempt,
  type Confirmation,
  type GivenBlock,
  type Judgement,
  type Outcome,
  type SessionState,
} from '@dreamfold/core';
import { z } from 'zod';
import { storeContent } from '../content-blobs.ts';
import { confirmOn, type GivenConfirmation } from './decided-before.ts';
import { RubricShape } from '../team/definition-shapes.ts';
import type { RubricDefinition } from '../team/definitions.ts';
import { inWords, outcomeOf } from './new-session.ts';
import { FeedbackShape, JudgementShape, recordFeedbackOn, WORD } from './session-commands.ts';
import type { SessionProcessor } from './session-processor.ts';
import type { LogInTime } from '../time/surroundings.ts';

/** What listeners get: each event by its type, every event as `event`, and text as it arrives as `delta` (never stored). */
export type SessionEvents = { [T in EventType]: [event: KnownEvent<T>] } & {
  event: [event: SessionEvent];
  delta: [delta: { threadId: string; text: string }];
};

/** What has become of an outcome so far. */
export interface OutcomeResult {
  /** `working` and `evaluating` while it is under way: it waits for a person, say. */
  result: 'working' | 'evaluating' | 'satisfied' | 'max_iterations_reached' | 'failed' | 'interrupted';
  /** Of the best attempt, from 0 to 1; null before the first. */
  score: number | null;
  best: Attempt | null;
  attempts: readonly Attempt[];
}

export interface SessionResult {
  sessionId: string;
  /**
   * The answer to what was asked last: the best attempt when an outcome applies to that turn, otherwise the last message of the lead in it;
   * '' when the lead has said nothing in it.
   */
  text: string;
  stopReason: StopReason;
  /** The outcome that applies to the newest turn; null when none does: a message that comes after an outcome has ended is not graded. */
  outcome: OutcomeResult | null;
  /** What became of the session's outcome when it is of an earlier turn, and so says nothing of `text`. */
  earlierOutcome: OutcomeResult | null;
  usage: ModelUsage & { costUsd: number | null; modelCalls: number; toolCalls: number };
  error: string | null;
}

const LISTENED = ['event', 'delta', ...(Object.keys(CATALOGUE) as EventType[])] as const;

/** What became of a session so far. */
export function resultOf(state: SessionState): SessionResult {
  const { usage } = state;
  const outcome = outcomeResult(outcomeOfTurn(state));
  return {
    sessionId: state.id,
    text: outcome?.best?.text ?? answerOfTurn(state)?.text ?? '',
    stopReason: state.stopReason ?? { type: 'end_turn' },
    outcome,
    earlierOutcome: outcome === null ? outcomeResult(state.outcome) : null,
    usage,
    error: state.error,
  };
}

function outcomeResult(outcome: Outcome | null): OutcomeResult | null {
  if (outcome === null) return null;
  const best = bestAttempt(outcome);
  const { status, attempts } = outcome;
  // An outcome that has ended has a result.
  return { result: outcome.result ?? (status === 'evaluating' ? status : 'working'), score: best?.score ?? null, best, attempts };
}

export interface SendOptions {
  /** What to do while the lead is busy: queue the message, the default, or refuse it with session_busy. */
  ifBusy?: 'queue' | 'reject';
  /** The message begins an outcome of its own, graded by this rubric. */
  rubric?: RubricDefinition;
  /** The same key counts once. */
  idempotencyKey?: string;
}

/** A session that this process runs. */
export class Session {
  readonly id: string;
  readonly #processor: SessionProcessor;
  readonly #emitter: EventEmitter<SessionEvents>;
  readonly #on: LogInTime;
  readonly #wake: () => void;
  readonly #heard: () => Promise<void>;
  readonly #checkMessage: (content: Content) => void;

  constructor(
    id: string,
    parts: {
      processor: SessionProcessor;
      emitter: EventEmitter<SessionEvents>;
      on: LogInTime;
      wake: () => void;
      heard: () => Promise<void>;
      /** @throws DreamfoldError content_unsupported when the lead's model does not take a block of it */
      checkMessage: (content: Content) => void;
    },
  ) {
    this.id = id;
    this.#processor = parts.processor;
    this.#emitter = parts.emitter;
    this.#on = parts.on;
    this.#wake = parts.wake;
    this.#heard = parts.heard;
    this.#checkMessage = parts.checkMessage;
  }

  get state(): SessionState {
    return this.#processor.state;
  }

  /**
   * Listens to one type of event of all threads, to `event` for every one (a `switch` over its `type` narrows its `data`), or to `delta`.
   * @returns a function that stops it
   */
  on<T extends keyof SessionEvents>(type: T, listener: (...args: SessionEvents[T]) => void): () => void {
    const heard = listener as (...args: unknown[]) => void;
    this.#emitter.on(type, heard);
    return () => this.#emitter.off(type, heard);
  }

  /**
   * Sends a message to the lead; it is queued while the lead is busy. While an outcome is under way, the message belongs to it. Otherwise
   * the answer is graded only if the message brings a rubric of its own, which it can only while the session is idle.
   * @param message words, or blocks as the Messages API has them; with a rubric words alone
   * @param options.idempotencyKey the same key counts once
   * @throws DreamfoldError session_ended, session_busy, budget_exceeded, content_unsupported (the lead's model does not take a block)
   */
  async send(message: string | readonly GivenBlock[], options: SendOptions = {}): Promise<void> {
    const { ifBusy, rubric, idempotencyKey = randomUUID() } = options;
    if (rubric === undefined) {
      const content = Array.isArray(message) ? await this.#stored(message as readonly GivenBlock[]) : (message as string);
      return this.#command('message', (state) => sendMessage(state, content, ifBusy), idempotencyKey);
    }
    const before = this.#processor.rubric;
    // It may be graded before this call goes on.
    this.#processor.rubric = rubric;
    try {
      const outcome = outcomeOf(`${this.id}/message/${idempotencyKey}`, inWords(message, 'message'), rubric);
      await this.#command('message', (state) => askForOutcome(state, outcome), idempotencyKey);
    } catch (error) {
      this.#processor.rubric = before;
      throw error;
    }
  }

  async #stored(message: readonly GivenBlock[]): Promise<Content> {
    const content = givenContent(message, 'message');
    this.#checkMessage(content);
    return storeContent(this.#on.log.blobs, content, 'message');
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

  async #confirm(given: GivenConfirmation): Promise<void> {
    const { context } = this.#processor;
    await confirmOn(this.#on.log, { sessionId: this.id, given }, (word) =>
      this.#command(word.result, (state) => confirmTool(state, word, (...asked) => context.checkInput(...asked))),
    );
  }

  /** A person's score of a criterion that waits for one. */
  async judge(judgement: Judgement): Promise<void> {
    await this.#command('judge', (state) => judge(state, judgement));
  }

  /** What came of an event of this session later. */
  async feedback(feedback: FeedbackRecorded): Promise<void> {
    await recordFeedbackOn(this.#on, this.id, feedback);
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

const toolUseId = arg('toolUseId', Text);
const { callHash, by, input, message } = WORD;

checkMethods(Session, 'session', {
  on: [arg('type', oneOf<keyof SessionEvents>('a type of event, event or delta', LISTENED)), arg('listener', functionOf<never>())],
  send: [
    asItIs<string | readonly GivenBlock[]>('message'),
    arg(
      'options',
      optionsOf<SendOptions>({
        ifBusy: z.enum(['queue', 'reject']).optional(),
        rubric: RubricShape.optional(),
        idempotencyKey: Text.optional(),
      }).optional(),
    ),
  ],
  interrupt: [arg('threadId', Text.optional())],
  approve: [
    toolUseId,
    arg('options', optionsOf<Partial<Pick<Confirmation, 'callHash' | 'by' | 'input'>>>({ callHash, by, input }).optional()),
  ],
  deny: [
    toolUseId,
    arg('options', optionsOf<Partial<Pick<Confirmation, 'callHash' | 'by' | 'message'>>>({ callHash, by, message }).optional()),
  ],
  judge: [arg('judgement', JudgementShape)],
  feedback: [arg('feedback', FeedbackShape)],
  done: [],
  changed: [],
});
