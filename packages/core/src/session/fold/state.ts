import type {
  AgentSnapshot,
  BlockKind,
  Caps,
  Content,
  Criterion,
  CriterionScore,
  GivenInsight,
  MemoryPin,
  ModelUsage,
  StopReason,
  TeamSnapshot,
} from '@dreamfold/events';
import { List } from './list.ts';
import type { RequestBlock, RequestMessage } from '../prompt.ts';
import type { CallResult } from './request-blocks.ts';

/** A tool call of a thread's newest answer. */
export interface Call {
  id: string;
  seq: number;
  name: string;
  /** As the model gave it. */
  given: unknown;
  /** What is asked for, and what runs. */
  input: unknown;
  /** `input` is what the tool's schema made of what was given, so the schema is not applied again. */
  isParsed: boolean;
  /** What a person put in the place of `input`, until the call starts with it. */
  edit: { input: unknown } | null;
  /** What was asked for, when the call started with what a person put in its place. */
  before: { input: unknown } | null;
  /**
   * asked: waits for a person; confirmed: may start; denied: a person said no; stale: the tool changed while it waited;
   * running: its intent is on the log; closed: it has a result.
   */
  status: 'asked' | 'confirmed' | 'denied' | 'stale' | 'running' | 'closed';
  /** What an approval of this call is bound to. */
  callHash: string | null;
  confirmationId: string | null;
  denyMessage: string | null;
  /** The thread that a delegation runs in. */
  child: string | null;
  result: CallResult | null;
}

/** A model request whose answer is not on the log yet. */
export interface OpenRequest {
  startId: string;
  seq: number;
  purpose: 'turn' | 'compaction';
  /** 1 for the first. */
  attempt: number;
  /** How long the attempt waits before it starts. */
  delayMs: number;
}

export interface Thread {
  id: string;
  agent: string;
  parent: string | null;
  /** The parent's call that this thread answers. */
  delegation: string | null;
  depth: number;
  running: boolean;
  messages: List<RequestMessage>;
  /** Blocks for the next user message: results, queued messages, graders' words. */
  pending: readonly RequestBlock[];
  /** Blocks of the answer that is being recorded. */
  draft: readonly RequestBlock[];
  /** What its messages hold besides text and calls: each kind once. */
  holds: readonly BlockKind[];
  calls: readonly Call[];
  request: OpenRequest | null;
  /** Why the thread can't go on, until it is told to idle. */
  stop: StopReason['type'] | null;
  refusal: { category: string | null; explanation: string | null } | null;
  interrupted: boolean;
  /** Tokens that the newest request and its answer took. */
  contextTokens: number;
  /** The newest calls, oldest first, as `name input`. */
  recentCalls: readonly string[];
  task: string;
  /** What of the memory it was given, null before its first request. */
  given: readonly GivenInsight[] | null;
  lastMessage: { eventId: string; seq: number; text: string } | null;
}

export interface Attempt {
  iteration: number;
  eventId: string;
  text: string;
  score: number;
  criteria: readonly CriterionScore[];
}

export interface Outcome {
  id: string;
  description: string;
  rubric: string;
  criteria: readonly Criterion[];
  passScore: number;
  maxIterations: number;
  iteration: number;
  status: 'working' | 'evaluating' | 'done';
  evaluationId: string | null;
  evaluationSeq: number;
  /** Scores that people gave to the running evaluation. */
  judged: readonly CriterionScore[];
  attempts: readonly Attempt[];
  /** How many of the attempts were made before the newest message of the user was taken up. */
  attemptsBefore: number;
  result: 'satisfied' | 'max_iterations_reached' | 'failed' | 'interrupted' | null;
  explanation: string;
  /** The event that ended it; null while it is under way. */
  endSeq: number | null;
}

export interface Usage extends ModelUsage {
  modelCalls: number;
  toolCalls: number;
  /** null when a model has no price. */
  costUsd: number | null;
}

export interface SessionState {
  id: string;
  exists: boolean;
  seq: number;
  title: string | null;
  principal: string;
  /** Somebody had checked that the principal is who it says. */
  principalAuthenticated: boolean;
  team: TeamSnapshot;
  caps: Caps;
  memory: readonly MemoryPin[];
  imported: { format: string; source: string; row: number } | null;
  status: 'running' | 'idle';
  stopReason: StopReason | null;
  epoch: number;
  /** Of the first claim: drawn at random when the session began. '' before it. */
  nonce: string;
  /** When it was claimed last, in milliseconds since 1970; 0 when nobody has claimed it. */
  claimedAt: number;
  /** The first is the lead's. */
  threads: readonly Thread[];
  outcome: Outcome | null;
  importedScore: number | null;
  /** Messages that came while the lead was busy. */
  queue: readonly { id: string; content: Content }[];
  /** The event by which the lead took up its newest message; 0 before the first. */
  takenUpSeq: number;
  usage: Usage;
  /** The newest turn was stopped by an interrupt, or what was asked for it was withdrawn. */
  interrupted: boolean;
  /** Whoever has claimed it last is a worker. */
  claimedByWorker: boolean;
  /** Nobody had taken it up before, and its partition was not that worker's. */
  claimedUntaken: boolean;
  /** Its place among the nodes of the log; null where it has none or did not say. */
  claimedBy: string | null;
  capReached: { cap: keyof Caps; limit: number; value: number } | null;
  error: string | null;
  createdAt: number;
  /** Time of the newest event, which stands in for the clock. */
  now: number;
  /** Time spent running before the present run. */
  activeMs: number;
  runningSince: number | null;
  feedback: readonly { judges: string; verdict: 'right' | 'wrong'; by: string }[];
  /** The first event that is newer than this code and was not skipped: the session is read, not run. */
  suspended: NewerEvent | null;
  /** Others like it, which came after it. */
  alsoNewer: readonly NewerEvent[];
}

/** An event of a type or version that this code does not know. */
export interface NewerEvent {
  id: string;
  seq: number;
  type: string;
  v: number;
}

/** What a session may use up at most where nobody says otherwise. */
export const DEFAULT_CAPS: Caps = {
  depth: 3,
  threads: 25,
  turns: 200,
  tool_calls: 500,
  tokens: 10_000_000,
  cost_usd: 100,
  wall_time_ms: 3_600_000,
  identical_calls: 3,
};

export const NO_USAGE: Readonly<ModelUsage> = {
  input_tokens: 0,
  output_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

/** The state before the first event. */
export function initialSession(id: string): SessionState {
  return {
    id,
    exists: false,
    seq: 0,
    title: null,
    principal: '',
    principalAuthenticated: false,
    team: { lead: '', agents: [] },
    caps: DEFAULT_CAPS,
    memory: [],
    imported: null,
    status: 'idle',
    stopReason: null,
    epoch: 0,
    nonce: '',
    claimedAt: 0,
    threads: [],
    outcome: null,
    importedScore: null,
    queue: [],
    takenUpSeq: 0,
    usage: { ...NO_USAGE, modelCalls: 0, toolCalls: 0, costUsd: 0 },
    interrupted: false,
    claimedByWorker: false,
    claimedUntaken: false,
    claimedBy: null,
    capReached: null,
    error: null,
    createdAt: 0,
    now: 0,
    activeMs: 0,
    runningSince: null,
    feedback: [],
    suspended: null,
    alsoNewer: [],
  };
}

/** A thread that nobody has said anything to yet. */
export function newThread(of: Pick<Thread, 'id' | 'agent' | 'parent' | 'delegation' | 'depth' | 'task'>): Thread {
  return {
    ...of,
    running: false,
    messages: List.of<RequestMessage>(),
    pending: [],
    draft: [],
    holds: [],
    calls: [],
    request: null,
    stop: null,
    refusal: null,
    interrupted: false,
    contextTokens: 0,
    recentCalls: [],
    given: null,
    lastMessage: null,
  };
}

/** The lead's thread id: derived from the session's, so it needs no event. */
export function leadThreadId(sessionId: string): string {
  return `sthr_${sessionId.slice(sessionId.indexOf('_') + 1)}`;
}

/** A thread by its id. */
export function threadOf(state: SessionState, id: string): Thread | undefined {
  return state.threads.find((thread) => thread.id === id);
}

/** An agent of the session's team, as the team stands on the log, by its name. */
export function agentOf(state: SessionState, name: string): AgentSnapshot | undefined {
  return state.team.agents.find((agent) => agent.name === name);
}

/** A call by its id, with the thread that it was made in. */
export function callOf(state: SessionState, callId: string): { thread: Thread; call: Call } | undefined {
  for (const thread of state.threads) {
    const call = thread.calls.find((c) => c.id === callId);
    if (call !== undefined) return { thread, call };
  }
  return undefined;
}

/** What a thread works on, in the words that it was asked in: the session's request and, for a specialist, what it was told. */
export function taskOf(state: SessionState, thread: Thread): string {
  const asked = state.threads[0]?.task ?? '';
  return thread.parent === null ? asked : `${asked}\n${thread.task}`;
}

/** What is said of an outcome that an interrupt has ended. */
export const INTERRUPTED = 'The session was interrupted.';

/** What of a session tells whether it was asked for something: a row in a list keeps as much. */
export interface Asked {
  readonly status: SessionState['status'];
  readonly threads: readonly Pick<Thread, 'running'>[];
  readonly queue: { readonly length: number };
}

/** Something was asked of the session, and nobody has begun with it. */
export function waitsForTurn({ status, threads, queue }: Asked): boolean {
  return status === 'idle' && threads[0]?.running === false && queue.length > 0;
}

/** True while the thread waits for nothing but its own next step. */
export function hasOpenCalls(thread: Thread): boolean {
  return thread.calls.some((call) => call.status !== 'closed');
}

/** Tokens that went in and out, those of the cache among them. */
export function totalTokens(usage: ModelUsage): number {
  return usage.input_tokens + usage.output_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;
}

/**
 * The attempt with the highest score, the earliest of equals: what an outcome returns. An attempt that was made before the user's newest
 * message is no answer to it, and stands back behind those that are.
 */
export function bestAttempt({ attempts, attemptsBefore }: Outcome): Attempt | null {
  const answers = attempts.slice(attemptsBefore);
  let best: Attempt | null = null;
  for (const attempt of answers.length > 0 ? answers : attempts) if (best === null || attempt.score > best.score) best = attempt;
  return best;
}

/**
 * The outcome that speaks for the newest turn: the one that it was asked for. null when the session has none, and when the newest message
 * was taken up after the outcome had ended.
 */
export function outcomeOfTurn({ outcome, takenUpSeq }: SessionState): Outcome | null {
  return outcome === null || (outcome.endSeq !== null && outcome.endSeq < takenUpSeq) ? null : outcome;
}

/** What the lead said last of what it was asked last; null when it has said nothing of that. */
export function answerOfTurn({ threads, takenUpSeq }: SessionState): { eventId: string; text: string } | null {
  const last = threads[0]?.lastMessage ?? null;
  return last !== null && last.seq > takenUpSeq ? last : null;
}

/** What suspends a session, oldest first. */
export function newerEvents({ suspended, alsoNewer }: SessionState): readonly NewerEvent[] {
  return suspended === null ? [] : [suspended, ...alsoNewer];
}
