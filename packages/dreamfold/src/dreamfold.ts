import {
  checkMethods,
  idOfStream,
  streamOf,
  type EventSkipped,
  type FeedbackRecorded,
  type LogEvent,
  type RecordedEvent,
} from '@dreamfold/events';
import { confirmTool, interrupt, judge, sendMessage, skipEvent, type GivenBlock, type Judgement, type SessionState } from '@dreamfold/core';
import {
  verifyStream,
  type Erased,
  type ErasureRequest,
  type Log,
  type ProcessorLock,
  type RunningProcessor,
  type VerifyProblem,
} from '@dreamfold/log';
import type { Lists } from '@dreamfold/projections';
import {
  commandSession,
  compileTeam,
  confirmOn,
  dreamByRules,
  Dreamer,
  exportStreams,
  importSessions,
  loadSession,
  MACHINE,
  MemoryKeeper,
  noSession,
  ProposalEditor,
  recordFeedbackOn,
  SessionHost,
  storeGiven,
  streamsByAge,
  verifyRequests,
  workOn,
  type AgentDefinition,
  type DreamOptions,
  type DreamNews,
  type DreamReport,
  type DreamRule,
  type EditedProposal,
  type ExportRequest,
  type GivenConfirmation,
  type ImportReport,
  type ImportRequest,
  type GivenSession,
  type ProposalEdit,
  type RequestsReport,
  type RubricDefinition,
  type Session,
  type Team,
  type WorkerNews,
} from '@dreamfold/runtime';
import { DREAMFOLD_METHODS } from './dreamfold-arguments.ts';
import type { RunOptions } from './run-options.ts';

export interface KeepDreamingOptions {
  /** When which store dreams, one rule for each. */
  rules: readonly DreamRule[];
  /** Dreams what is due by now, and ends. */
  once?: boolean;
  onDream?: (news: DreamNews) => void;
  /** Ends it, after the dreams under way; so does `close`. */
  signal?: AbortSignal;
}

export interface WorkOptions {
  /** What this process can run: the lead of each team, and the rubric whose graders in code its sessions have. */
  teams: readonly { lead: AgentDefinition; rubric?: RubricDefinition }[];
  /** How many sessions are under way here at most; those that wait for a person do not count. Default 100. */
  concurrency?: number;
  onNews?: (news: WorkerNews) => void;
  /** Ends it: sessions are let go of where they stand, without loss. So does `close`. */
  signal?: AbortSignal;
}

/** What a {@link Dreamfold} is made of. */
export interface DreamfoldParts {
  log: Log;
  memory: MemoryKeeper;
  lists: Lists;
  host: SessionHost;
  /** Of a data directory that one process at a time works on. */
  lock: { acquire: () => Promise<ProcessorLock>; find: () => RunningProcessor | null } | null;
}

/** What `open` gives: a log, the sessions on it, and their shared memory. */
export class Dreamfold {
  readonly log: Log;
  readonly memory: MemoryKeeper;
  readonly dreams: Dreamer;
  /** Sessions, proposals, stores and dreams by page and by filter. */
  readonly lists: Lists;
  readonly #host: SessionHost;
  readonly #acquire: (() => Promise<ProcessorLock>) | null;
  readonly #findProcessor: (() => RunningProcessor | null) | null;
  #lock: Promise<ProcessorLock> | null = null;
  readonly #closing = new AbortController();
  /** Dreams and workers. */
  readonly #working = new Set<Promise<void>>();

  constructor(parts: DreamfoldParts) {
    this.log = parts.log;
    this.memory = parts.memory;
    this.lists = parts.lists;
    this.dreams = new Dreamer(parts.log, parts.memory);
    this.#host = parts.host;
    this.#acquire = parts.lock?.acquire ?? null;
    this.#findProcessor = parts.lock?.find ?? null;
  }

  /**
   * Gives a task to a lead and its team. Resolves once the session has begun; `session.done()` waits for its end.
   * @param task words, or blocks as the Messages API has them (text, image, document, search_result); with a rubric words alone
   * @throws DreamfoldError invalid_argument, invalid_team, not_found (a memory store), store_locked (another process runs sessions here),
   * content_unsupported (the lead's model does not take a block), payload_too_large
   */
  async run(lead: AgentDefinition, task: string | readonly GivenBlock[], options: RunOptions = {}): Promise<Session> {
    const team = compileTeam(lead);
    await this.lock();
    return this.#host.create(await this.#newSession(team, task, options));
  }

  /**
   * Puts a task on the log for whoever runs sessions there (`work`, `resume`), and runs nothing here. Needs no lock.
   * The team and the rubric's graders in code are those of the process that runs it; it tells them by the name of the lead.
   * @returns the id of the session, once it counts
   * @throws DreamfoldError as `run` does
   */
  async submit(lead: AgentDefinition, task: string | readonly GivenBlock[], options: RunOptions = {}): Promise<string> {
    return this.#host.submit(await this.#newSession(compileTeam(lead), task, options));
  }

  async #newSession(team: Team, task: string | readonly GivenBlock[], { memory, ...rest }: RunOptions): Promise<GivenSession> {
    return { ...rest, team, task, memory: memory === undefined ? [] : await this.memory.pin(memory) };
  }

  /**
   * Goes on with a session: after a crash, or after an approval that another process recorded.
   * @throws DreamfoldError not_found, session_ended, store_locked
   */
  async resume(lead: AgentDefinition, sessionId: string, options: { rubric?: RubricDefinition } = {}): Promise<Session> {
    const team = compileTeam(lead);
    await this.lock();
    return this.#host.resume(sessionId, { team, ...options });
  }

  /**
   * Runs the sessions of the log as they come: those that were submitted, those that are asked for something, and those whose worker is
   * gone. Workers of a log on Kafka share its sessions; what one is doing stays with it when others come and go. It keeps the process alive.
   * @returns when it was ended, and its sessions were let go of
   * @throws DreamfoldError invalid_argument, invalid_team, unknown_model, store_locked; what the log fails with: store_unavailable, log_diverged, …
   */
  async work({ teams, concurrency, onNews, signal }: WorkOptions): Promise<void> {
    const compiled = teams.map(({ lead, ...rubric }) => ({ team: compileTeam(lead), ...rubric }));
    await this.lock();
    const working = workOn({
      log: this.log,
      host: this.#host,
      teams: compiled,
      signal: AbortSignal.any([this.#closing.signal, ...(signal === undefined ? [] : [signal])]),
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(onNews === undefined ? {} : { tell: onNews }),
    });
    this.#working.add(working);
    return working.finally(() => this.#working.delete(working));
  }

  /** A session as it stands on the log. @param to the last seq to fold @throws DreamfoldError not_found */
  async session(id: string, to?: number): Promise<SessionState> {
    return loadSession(this.log, id, { to });
  }

  /** The ids of all sessions, oldest first. `lists.sessions` gives their rows, by page. */
  async *sessions(): AsyncIterable<string> {
    for await (const stream of streamsByAge(this.log, 'session')) yield idOfStream(stream);
  }

  /**
   * Ids of sessions that begin with a prefix, such as `sesn_4k`, in their order.
   * @param limit how many are wanted at most
   */
  async findSessions(prefix: string, limit: number): Promise<string[]> {
    return (await this.log.findStreams(streamOf('session', prefix), limit)).map(idOfStream);
  }

  /**
   * The events of a session, oldest first. A `switch` over `type` narrows `data`, which is null where it was erased.
   * @throws DreamfoldError not_found
   */
  async *events(sessionId: string): AsyncIterable<RecordedEvent> {
    let any = false;
    for await (const batch of this.log.read(streamOf('session', sessionId))) {
      any ||= batch.length > 0;
      // The log gives names and payloads as they were written, and the type has a place for those that are newer.
      yield* batch as readonly RecordedEvent[];
    }
    if (!any) throw noSession(sessionId);
  }

  /**
   * What came of an event of a session later; the source of labels for learning. Whoever says so has a `class`, which says what
   * weight the word has: see the table of LABELLER_WEIGHT. Default `customer` for the session's own principal, `person` for anybody else.
   * @returns what was recorded, with its class
   * @throws DreamfoldError not_found; invalid_argument (the right answer is none that the tool takes, or is empty); suspicious_unicode
   */
  async feedback(sessionId: string, feedback: FeedbackRecorded): Promise<FeedbackRecorded> {
    return recordFeedbackOn({ log: this.log, ...MACHINE }, sessionId, feedback);
  }

  /**
   * Passes over an event of a session whose type or version is newer than this code and which suspends it: the session goes on as if that
   * event had changed nothing. For one that nobody's Dreamfold knows; a newer one would run the session as it is.
   * @throws DreamfoldError not_found; invalid_argument when no such event suspends the session; suspicious_unicode
   */
  async skip(sessionId: string, skipped: EventSkipped): Promise<void> {
    await commandSession({ log: this.log, ...MACHINE }, sessionId, (state) => skipEvent(state, skipped));
  }

  /**
   * Reviews finished sessions and proposes what they teach to a memory store.
   * @throws DreamfoldError not_found
   */
  async dream(options: DreamOptions): Promise<DreamReport> {
    return this.dreams.dream(options);
  }

  /**
   * Rewords a proposal that waits: the edited one takes its place, under the gates that any passes.
   * @returns null when the text says what was proposed
   * @throws DreamfoldError not_found, already_decided, invalid_argument, precondition_failed and the like (a gate stops it)
   */
  async editProposal(store: string, patchId: string, edit: ProposalEdit): Promise<EditedProposal | null> {
    return new ProposalEditor(this.log, this.memory).edit(store, patchId, edit);
  }

  /**
   * Dreams without being asked: after every so many finished sessions, on a schedule, or both. Follows the log, so it does not matter
   * which process runs the sessions, nor whether this ran when they finished; several may follow one log, and no session is reviewed
   * twice. It keeps the process alive.
   * @returns when it was ended, and the dreams under way too
   * @throws DreamfoldError invalid_argument; what a dream fails with three times in a row, such as not_found for a store that is not there
   */
  async keepDreaming({ rules, once = false, onDream, signal }: KeepDreamingOptions): Promise<void> {
    const ending = AbortSignal.any([this.#closing.signal, ...(signal === undefined ? [] : [signal])]);
    const { log, memory, dreams: dreamer } = this;
    const dreaming = dreamByRules({
      log,
      memory,
      dreamer,
      rules,
      once,
      signal: ending,
      ...(onDream === undefined ? {} : { tell: onDream }),
    });
    this.#working.add(dreaming);
    return dreaming.finally(() => this.#working.delete(dreaming));
  }

  /** A message for the lead of a session, whoever runs it. @throws DreamfoldError not_found, session_ended, budget_exceeded */
  async send(sessionId: string, message: string | readonly GivenBlock[]): Promise<void> {
    const content = await storeGiven(this.log.blobs, message, 'message');
    await this.command(sessionId, (state) => sendMessage(state, content));
  }

  /**
   * A person's word on a call that waits, whoever runs its session. With `input` the call is to run with that; the process that runs the
   * session applies the tool's own schema to it, and asks again when it does not fit. Without `by` it is the word of the operating
   * system's user.
   * @throws DreamfoldError not_found, approval_not_found, approval_already_used, approval_stale; of an input: invalid_tool_input, budget_exceeded
   */
  async confirm(sessionId: string, given: GivenConfirmation): Promise<void> {
    await confirmOn(this.log, { sessionId, given }, (word) => this.command(sessionId, (state) => confirmTool(state, word)));
  }

  /** A person's score of a criterion that waits for one. @throws DreamfoldError not_found, already_decided, invalid_argument */
  async judge(sessionId: string, judgement: Judgement): Promise<void> {
    await this.command(sessionId, (state) => judge(state, judgement));
  }

  /**
   * Stops a session, or one thread and what is under it; one that was submitted and that nobody has begun with is never run.
   * @returns false when there was nothing to stop
   * @throws DreamfoldError not_found
   */
  async interrupt(sessionId: string, threadId?: string): Promise<boolean> {
    const events = await this.command(sessionId, (state) => interrupt(state, threadId));
    return events.length > 0;
  }

  /**
   * Adds recorded sessions from a file; all of it or, when a row is bad, nothing.
   * @throws DreamfoldError not_found, invalid_import, hash_mismatch, head_conflict and the like, with `file:row` as path
   */
  async import(request: ImportRequest): Promise<ImportReport> {
    return importSessions(this.log, request);
  }

  /**
   * What is on the log, or some sessions of it, as lines that `import` reads with the format `dreamfold`.
   * @throws DreamfoldError not_found, payload_missing (something is missing, and nothing on the log says why)
   */
  export(request: ExportRequest = {}): AsyncIterable<string> {
    return exportStreams(this.log, request);
  }

  /**
   * Renders every model request of a session again and compares it with what was recorded. Calls no model and no tool.
   * @param to the last seq to look at
   * @throws DreamfoldError not_found, store_corrupt
   */
  async verifyRequests(sessionId: string, to?: number): Promise<RequestsReport> {
    return verifyRequests(this.log, sessionId, { pinnedMemory: (pins) => this.memory.pinned(pins), ...(to === undefined ? {} : { to }) });
  }

  /** Writes to a session that another process may be running. See the commands of `@dreamfold/core`. */
  async command(sessionId: string, build: Parameters<typeof commandSession>[2]): Promise<readonly LogEvent[]> {
    const events = await commandSession({ log: this.log, ...MACHINE }, sessionId, build);
    await this.#host.noticeOthers(sessionId);
    return events;
  }

  /**
   * Erases the payloads of events for good: on the log, and in the lists that are kept of it here. Envelopes and chain stay, and say so.
   * What others keep follows before they list the next time.
   * @param stream such as `session/sesn_…`
   * @returns the events that had a payload
   * @throws DreamfoldError invalid_argument, invalid_event (a reason that is too long); precondition_failed (a log on Kafka that was made
   * without erasure)
   */
  async erase(stream: string, request: ErasureRequest): Promise<Erased> {
    const erased = await this.log.erasure.erase(stream, request);
    await this.lists.catchUp();
    return erased;
  }

  /**
   * What is wrong with the events of one session on the log; the events of all streams are checked by `log.archive.verify`.
   * @throws DreamfoldError not_found
   */
  async verifySession(sessionId: string): Promise<readonly VerifyProblem[]> {
    if ((await this.log.head(streamOf('session', sessionId))).seq === 0) throw noSession(sessionId);
    return verifyStream(this.log, streamOf('session', sessionId));
  }

  /**
   * The process that runs the sessions of this data directory, here or elsewhere.
   * @returns null when none does; `unknown` on a log without a lock, such as one on Kafka
   */
  processor(): RunningProcessor | null | 'unknown' {
    return this.#findProcessor === null ? 'unknown' : this.#findProcessor();
  }

  /**
   * Takes the right to run sessions here, until `close`: one process at a time runs those of a data directory. `run` and `resume`
   * take it too; take it yourself before what is only to be written when they can follow.
   * @throws DreamfoldError store_locked
   */
  async lock(): Promise<void> {
    if (this.#acquire === null) return;
    this.#lock ??= this.#acquire();
    try {
      await this.#lock;
    } catch (error) {
      this.#lock = null;
      throw error;
    }
  }

  /** Stops what runs, without losing it: sessions go on when they are resumed. Dreams of `keepDreaming` are dreamt to their end. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#host.close();
    await Promise.allSettled(this.#working);
    this.lists.close();
    await this.log.close();
    const lock = await this.#lock?.catch(() => null);
    lock?.release();
  }
}

checkMethods(Dreamfold, '', DREAMFOLD_METHODS);
