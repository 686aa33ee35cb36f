import {
  MAX_LABELLER_CHARS,
  MAX_PRINCIPAL_CHARS,
  idFrom,
  isDreamfoldError,
  isPlainText,
  labellerClassOf,
  streamOf,
  text,
  textOf,
  type Caps,
  type Content,
  type EventData,
  type EventType,
  type FeedbackRecorded,
  type OutcomeImported,
  type SessionCreated,
  type TeamSnapshot,
  type ToolSnapshot,
} from '@dreamfold/events';
import { answerParts } from '../session/answer-parts.ts';
import { principalFields } from '../session/commands/principal.ts';
import { takeOutData, type BytesCodec } from '../session/large-data.ts';
import { leadThreadId } from '../session/fold/state.ts';
import { AppendWriter, type ImportedAppend } from './append-writer.ts';
import { MAX_TEXT_BYTES, cutText, utf8Bytes } from './cut-text.ts';
import { checkRowName, rowError } from './row-error.ts';
import { MAX_FRAME_BYTES, recordedTeam, type RecordedAgents } from './recorded/recorded-team.ts';
import type { ImportNote, RecordedCall, Turn } from './transcript.ts';

export interface ImportOptions {
  /** Names the file, in errors and on every session. */
  source: string;
  /** The base64url sha-256 of a text's UTF-8. */
  sha256: (text: string) => string;
  /** What the recorded agent is called, default `agent`. */
  agent?: string;
  /** The model that the agent is said to run on, default `imported`. */
  model?: string;
  /** Whoever recorded the runs had checked that their principals are who they say; a run without one stays unknown. */
  trustPrincipals?: boolean;
  /** Takes large data out of what was said. Left out, of what is too large for an event its text alone is kept. */
  bytes?: BytesCodec;
  /** Tools whose schemas stand for those that rows call without a schema of their own. */
  tools?: readonly ToolSnapshot[];
}

/**
 * A recorded run as a session. Its id follows from what was recorded (not from the file's name or the row's number), so
 * the same run imported twice is the same stream, and every append has the same id.
 */
export interface ImportedSession {
  sessionId: string;
  stream: string;
  /** In order. Those that end at or before the stream's head are on the log already; those with `expected: 'any'` count once in any case. */
  appends: ImportedAppend[];
  /** What its events name: to be stored before them. */
  blobs: readonly Uint8Array[];
  /** Events of the run, feedback aside: a stream whose head is at least this holds the whole run. */
  eventCount: number;
  /** What was cut, left out or filled in. */
  notes: ImportNote[];
}

/** What each format makes of a row. */
export interface RecordedRun {
  format: string;
  row: number;
  /** Where the row stands, in errors. */
  at: string;
  /** The text that the session's id is derived from. */
  content: string;
  title?: string;
  /** null when the row names none. */
  principal: string | null;
  metadata?: Record<string, string>;
  agent: RecordedAgents;
  turns: readonly Turn[];
  outcome?: OutcomeImported;
  /** `judges`: the message's place in the transcript, or the recorded id of a tool call. */
  feedback: readonly (Omit<FeedbackRecorded, 'judges'> & { judges: number | string; at: string; time?: number })[];
  notes: ImportNote[];
}

const UNKNOWN_PRINCIPAL = 'unknown';
/** Wide enough for any recording: an imported session is not run on, and a fork of it takes caps of its own. */
const IMPORTED_CAPS: Caps = {
  depth: 3,
  threads: 25,
  turns: 1_000_000,
  tool_calls: 1_000_000,
  tokens: 1_000_000_000,
  cost_usd: 1_000_000,
  wall_time_ms: 365 * 24 * 3_600_000,
  identical_calls: 1_000_000,
};

const MAX_REASON_BYTES = 2000;
const UNANSWERED = 'The recording holds no result of this call.';

/**
 * Turns a recorded run into the appends of one new session stream.
 * @throws DreamfoldError invalid_import for a result without its call, an id that two open calls share, feedback on nothing
 */
export function importRun(run: RecordedRun, options: ImportOptions): ImportedSession {
  const sessionId = idFrom('session', options.sha256(`import/${run.format}/${run.content}`));
  const recording = new Recording(sessionId, run, options);
  recording.writer.at(run.turns.find((turn) => turn.time !== undefined)?.time);
  recording.create();
  for (const turn of run.turns) recording.play(turn);
  recording.end();
  const eventCount = recording.writer.seq;
  for (const feedback of run.feedback) recording.judge(feedback);
  const { writer, blobs } = recording;
  return { sessionId, stream: streamOf('session', sessionId), appends: writer.appends, blobs, eventCount, notes: run.notes };
}

/** Plays the turns of a run into the events that a session which ran here would have left, model requests aside. */
class Recording {
  readonly writer: AppendWriter;
  readonly blobs: Uint8Array[] = [];
  readonly #bytes: BytesCodec | null;
  readonly #run: RecordedRun;
  readonly #sha256: ImportOptions['sha256'];
  readonly #source: string;
  readonly #trustPrincipals: boolean;
  readonly #sessionId: string;
  readonly #lead: string;
  readonly #team: TeamSnapshot;
  #running = false;
  #queued: string[] = [];
  /** Threads of specialists by their agent, and whether each runs. */
  readonly #threads = new Map<string, { id: string; running: boolean }>();
  readonly #openCalls = new Map<string, { useId: string; thread: string }>();
  /** Event ids by recorded call id: a recording may use an id again once its first call has been answered. */
  readonly #calls = new Map<string, string[]>();
  /** What a message became, by its place: its text and its calls. */
  readonly #decisions = new Map<number, { message: string | null; calls: string[] }>();

  constructor(sessionId: string, run: RecordedRun, options: ImportOptions) {
    this.writer = new AppendWriter(sessionId, options.sha256);
    this.#run = run;
    this.#sha256 = options.sha256;
    this.#source = options.source;
    this.#bytes = options.bytes ?? null;
    this.#trustPrincipals = options.trustPrincipals ?? false;
    this.#sessionId = sessionId;
    this.#lead = leadThreadId(sessionId);
    this.#team = recordedTeam(run.turns, run.agent, {
      at: run.at,
      fallback: options.agent ?? 'agent',
      model: options.model ?? 'imported',
    });
  }

  create(): void {
    const { format, row, title, metadata, at } = this.#run;
    const agents = this.#team.agents.map((agent) => ({ ...agent, system: this.#cut(agent.system, `${at}/system`, MAX_FRAME_BYTES) }));
    this.writer.add('session.created', 'system', {
      ...(title === undefined ? {} : { title }),
      ...this.#principal(),
      team: { ...this.#team, agents },
      caps: IMPORTED_CAPS,
      memory: [],
      imported: { format, source: this.#source, row },
      ...(metadata === undefined ? {} : { metadata }),
    });
    this.writer.add('session.claimed', 'system', { nonce: 'import' });
  }

  #principal(): Pick<SessionCreated, 'principal' | 'principal_authenticated'> {
    const { principal, at } = this.#run;
    if (principal === null) return { principal: UNKNOWN_PRINCIPAL };
    checkRowName(principal, { at: `${at}/principal`, maxChars: MAX_PRINCIPAL_CHARS });
    return principalFields({ id: principal, authenticated: this.#trustPrincipals });
  }

  play(turn: Turn): void {
    switch (turn.role) {
      case 'user':
        this.#closeOpenCalls();
        this.#idle();
        this.writer.at(turn.time);
        this.#beginPart();
        this.#queued.push(this.writer.add('user.message', 'user', { content: this.#content(turn) }));
        return;
      case 'assistant':
        this.writer.at(turn.time);
        this.#wake();
        this.#answer(turn);
        return;
      case 'result':
        this.writer.at(turn.time);
        this.#result(turn);
    }
  }

  /** Whatever the recording ends with, the session ends idle: nothing of it is ever run on by itself. */
  end(): void {
    this.#closeOpenCalls();
    this.#wake();
    const { outcome, at } = this.#run;
    if (outcome !== undefined) {
      const reason = outcome.reason === undefined ? {} : { reason: this.#cut(outcome.reason, `${at}/outcome`, MAX_REASON_BYTES) };
      this.#own('outcome.imported', { ...outcome, ...reason }, 'system');
    }
    this.#idle();
  }

  judge(feedback: RecordedRun['feedback'][number]): void {
    const { at, judges, time, ...said } = feedback;
    const judged = this.#judged(judges, at);
    checkRowName(said.by, { at: `${at}/by`, maxChars: MAX_LABELLER_CHARS });
    const data = { ...said, class: labellerClassOf(said, this.#run.principal ?? UNKNOWN_PRINCIPAL) };
    // Its step is what it says: the same feedback counts once, and new feedback on a run that is there is added to it.
    this.writer.begin(`feedback-${this.#sha256(JSON.stringify([judged, data]))}`, 'any', time);
    this.writer.add('feedback.recorded', `person:${data.by}`, { judges: judged, ...data });
  }

  #own<T extends EventType>(type: T, data: EventData[T], actor: string = this.#lead): string {
    return this.writer.add(type, actor, data);
  }

  #cut(value: string, at: string, maxBytes?: number): string {
    const { text: kept, lost } = cutText(value, maxBytes);
    if (lost > 0) this.#run.notes.push({ path: at, note: `${lost} of ${value.length} characters were cut` });
    return kept;
  }

  /** What was said, as it fits into an event. */
  #content({ text: words, blocks, at }: Pick<Turn & { role: 'user' }, 'text' | 'blocks' | 'at'>): Content {
    if (blocks === undefined) return text(this.#cut(words, at));
    try {
      const small = takeOutData([...blocks], this.#bytes, at);
      this.blobs.push(...small.blobs);
      return small.content;
    } catch (error) {
      if (!isDreamfoldError(error, 'payload_too_large')) throw error;
      this.#run.notes.push({ path: at, note: 'its blocks are too large for an event; its text alone was kept' });
      return text(this.#cut(words, at));
    }
  }

  /** @returns the event of the newest message; null when nothing was said */
  #say({ text: words, blocks = text(words), calls, at }: Turn & { role: 'assistant' }, thread: string): string | null {
    let message: string | null = null;
    for (const part of answerParts([...blocks, ...calls.map(({ name, input }) => ({ type: 'tool_use' as const, name, input }))])) {
      if (part.kind === 'thinking') this.#own('agent.thinking', { df_content: part.content }, thread);
      if (part.kind !== 'said') continue;
      const said = { text: textOf(part.content), at, ...(isPlainText(part.content) ? {} : { blocks: part.content }) };
      message = this.#own('agent.message', { content: this.#content(said) }, thread);
    }
    return message;
  }

  #beginPart(): void {
    if (this.writer.appends.at(-1)!.events.length > 0) this.writer.nextPart();
  }

  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    this.#own('session.status_running', {}, 'system');
    if (this.#queued.length > 0) this.#own('message.taken_up', { message_ids: this.#queued });
    this.#queued = [];
  }

  #idle(): void {
    if (!this.#running) return;
    this.#running = false;
    for (const [agent, thread] of this.#threads) {
      if (thread.running) this.#idleThread(agent, thread.id);
      thread.running = false;
    }
    this.#idleThread(this.#team.lead, this.#lead);
    this.#own('session.status_idle', { stop_reason: { type: 'end_turn' }, stop_details: null }, 'system');
  }

  #idleThread(agent_name: string, session_thread_id: string): void {
    const idle = { agent_name, session_thread_id, stop_reason: { type: 'end_turn' as const }, stop_details: null };
    this.#own('session.thread_status_idle', idle, session_thread_id);
  }

  /**
   * The thread of who speaks: the lead's, or a specialist's own, which begins with its first word. The recording does not say what the
   * specialist was told, nor which call has brought it in, so neither is on the log.
   */
  #threadOf(agent: string = this.#team.lead): string {
    if (agent === this.#team.lead) return this.#lead;
    let thread = this.#threads.get(agent);
    if (thread === undefined) {
      thread = { id: idFrom('thread', this.#sha256(`${this.#sessionId}/${agent}`)), running: false };
      this.#threads.set(agent, thread);
      const child = { agent_name: agent, session_thread_id: thread.id, workflow_run_id: null };
      this.#own('session.thread_created', { ...child, df_parent_thread_id: this.#lead, df_tool_use_id: '' });
    }
    if (!thread.running) this.#own('session.thread_status_running', { agent_name: agent, session_thread_id: thread.id });
    thread.running = true;
    return thread.id;
  }

  #answer(turn: Turn & { role: 'assistant' }): void {
    const thread = this.#threadOf(turn.agent);
    const message = this.#say(turn, thread);
    const calls = turn.calls.map((call) => this.#call(call, thread));
    this.#decisions.set(turn.index, { message, calls });
    if (turn.confidence === undefined && turn.reason === undefined) return;
    for (const event_id of calls.length > 0 ? calls : message === null ? [] : [message]) {
      const decision = {
        event_id,
        ...(turn.confidence === undefined ? {} : { confidence: turn.confidence }),
        ...(turn.reason === undefined ? {} : { reason: this.#cut(turn.reason, turn.at, MAX_REASON_BYTES) }),
      };
      this.#own('decision.recorded', decision, thread);
    }
  }

  #call(call: RecordedCall, thread: string): string {
    if (this.#openCalls.has(call.id)) {
      throw rowError(call.at, 'the id of this call belongs to another call that has no result yet', {
        value: call.id,
        remedy: 'Give each call an id of its own, so that its result can be told apart.',
      });
    }
    const json = JSON.stringify(call.input);
    const input = utf8Bytes(json) <= MAX_TEXT_BYTES ? call.input : { df_cut: this.#cut(json, call.at) };
    const id = this.#own('agent.tool_use', { name: call.name, input, evaluated_permission: 'allow' }, thread);
    this.#openCalls.set(call.id, { useId: id, thread });
    this.#calls.set(call.id, [...(this.#calls.get(call.id) ?? []), id]);
    return id;
  }

  #result(turn: Turn & { role: 'result' }): void {
    const open = this.#openCalls.get(turn.callId);
    if (open === undefined) {
      throw rowError(turn.at, 'a tool result has no open call before it', {
        value: turn.callId,
        remedy: 'Put the result after its call and before the next user message, with the id of the call.',
      });
    }
    this.#openCalls.delete(turn.callId);
    const content = this.#content(turn);
    this.#own('agent.tool_result', { tool_use_id: open.useId, content, ...(turn.isError ? { is_error: true } : {}) }, open.thread);
  }

  #closeOpenCalls(): void {
    for (const [callId, { useId, thread }] of this.#openCalls) {
      this.#run.notes.push({ path: this.#run.at, note: `the call ${callId.slice(0, 80)} has no result; it was closed as unknown` });
      const result = { tool_use_id: useId, content: text(UNANSWERED), is_error: true, df_code: 'tool_outcome_unknown' };
      this.#own('agent.tool_result', result, thread);
    }
    this.#openCalls.clear();
  }

  #judged(judges: number | string, at: string): string {
    const remedy = 'Name the place of an assistant message in the transcript, from 0, or the id of one tool call.';
    if (typeof judges === 'string') {
      const ids = this.#calls.get(judges) ?? [];
      if (ids.length === 1) return ids[0]!;
      throw rowError(at, ids.length === 0 ? 'judges a call that is not there' : 'judges an id that several calls bear', {
        value: judges,
        remedy,
      });
    }
    const decision = this.#decisions.get(judges);
    if (decision === undefined) throw rowError(at, 'judges a message that is not an assistant’s', { value: judges, remedy });
    if (decision.calls.length > 1) throw rowError(at, 'judges a message with several calls', { value: judges, remedy });
    return decision.calls[0] ?? decision.message!;
  }
}
