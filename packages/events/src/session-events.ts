import { z } from 'zod';
import { AnyThinking, Content } from './content.ts';
import { LabellerClass } from './labellers.ts';
import { Caps, MemoryPin, TeamSnapshot } from './team-snapshot.ts';

// Types and fields are those of Managed Agents wherever it has them; `id` and `processed_at` are the envelope's
// id and time. A key that starts with `df_` is ours and is left out of the stream that a Managed Agents client reads.

export const StopReason = z.discriminatedUnion('type', [
  z.object({ type: z.literal('end_turn') }),
  z.object({ type: z.literal('requires_action'), event_ids: z.array(z.string()) }),
  z.object({ type: z.literal('retries_exhausted') }),
  z.object({ type: z.literal('budget_reached') }),
  z.object({ type: z.literal('refusal') }),
]);
export type StopReason = z.infer<typeof StopReason>;

export const ModelUsage = z.object({
  input_tokens: z.int().nonnegative(),
  output_tokens: z.int().nonnegative(),
  cache_creation_input_tokens: z.int().nonnegative(),
  cache_read_input_tokens: z.int().nonnegative(),
});
export type ModelUsage = z.infer<typeof ModelUsage>;

const Fraction = z.number().min(0).max(1);
const None = z.object({});

export const SessionCreated = z.object({
  title: z.string().optional(),
  /** Whose request it is: a customer, a tenant, a repository; as it was given. Evidence is counted in principals, each by `canonicalName`. */
  principal: z.string().min(1).max(200),
  /** Whoever began the session had checked that the principal is who it says. Left out, it is only claimed. */
  principal_authenticated: z.literal(true).optional(),
  team: TeamSnapshot,
  caps: Caps,
  memory: z.array(MemoryPin),
  /** Set on a session that was not run here but imported. */
  imported: z.object({ format: z.string(), source: z.string(), row: z.int().nonnegative() }).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});
export type SessionCreated = z.infer<typeof SessionCreated>;

/** A process takes the session over. Its nonce keeps two claims of the same epoch apart. */
export const SessionClaimed = z.object({
  nonce: z.string().min(1),
  /** By a worker: another one, to whom the session's partition was given, may take it over. */
  worker: z.literal(true).optional(),
  /** By one that was not given the partition: nobody took up what was asked. It is its own until it has written nothing for a while. */
  untaken: z.literal(true).optional(),
  /** The worker's place among the nodes of the log. Only one process has it at a time: the next one knows that this one has ended. */
  node: z.string().max(64).optional(),
});
export type SessionClaimed = z.infer<typeof SessionClaimed>;

/** The code's team differs from the one on the log; approvals of calls that changed with it are void. */
export const TeamUpdated = z.object({ team: TeamSnapshot, changed_tools: z.array(z.object({ agent: z.string(), tool: z.string() })) });
export type TeamUpdated = z.infer<typeof TeamUpdated>;

export const UserMessage = z.object({ content: Content });
export type UserMessage = z.infer<typeof UserMessage>;

/** A message that came while the lead was busy is given to the model now. */
export const MessageTakenUp = z.object({ message_ids: z.array(z.string()) });
export type MessageTakenUp = z.infer<typeof MessageTakenUp>;

/** Stops a thread and what is under it; without a thread, the session. Of a session that does not run, what nobody has begun with is withdrawn. */
export const UserInterrupt = z.object({ session_thread_id: z.string().nullish() });
export type UserInterrupt = z.infer<typeof UserInterrupt>;

export const ToolConfirmation = z.object({
  result: z.enum(['allow', 'deny']),
  tool_use_id: z.string(),
  deny_message: z.string().nullish(),
  session_thread_id: z.string().nullish(),
  /** With `allow`: what the call is to run with in the place of the input that was asked for. */
  df_input: z.unknown().optional(),
});
export type ToolConfirmation = z.infer<typeof ToolConfirmation>;

export const AgentMessage = z.object({
  content: Content,
  /** The model sent halves of surrogate pairs; U+FFFD stands in their place. */
  df_repaired: z.literal(true).optional(),
});
export type AgentMessage = z.infer<typeof AgentMessage>;

/** What a model thought before the message or the call that follows. Kept for the model alone, which is given it again. */
export const AgentThinking = z.object({ df_content: z.array(AnyThinking).min(1) });
export type AgentThinking = z.infer<typeof AgentThinking>;

export const AgentToolUse = z.object({
  name: z.string(),
  input: z.unknown(),
  evaluated_permission: z.enum(['allow', 'ask', 'deny']),
  /** What the tool's schema made of the input of a call that is asked for: it is shown and run. Left out when that is the input itself. */
  df_parsed_input: z.unknown().optional(),
  /** sha-256 of tool, input and policy: what an approval is bound to. */
  df_call_hash: z.string().optional(),
});
export type AgentToolUse = z.infer<typeof AgentToolUse>;

/** An approved call starts: the approval is used up in the same append. */
export const ToolStarted = z.object({ tool_use_id: z.string(), confirmation_id: z.string(), call_hash: z.string() });
export type ToolStarted = z.infer<typeof ToolStarted>;

/** The policy or the tool changed while the call waited, or what a person made of its input does not fit; it is asked for again. */
export const ApprovalStale = z.object({
  tool_use_id: z.string(),
  call_hash: z.string(),
  reason: z.string(),
  /** What the tool's schema makes of the call's input now. Left out when that is the input itself. */
  parsed_input: z.unknown().optional(),
});
export type ApprovalStale = z.infer<typeof ApprovalStale>;

export const AgentToolResult = z.object({
  tool_use_id: z.string(),
  content: Content,
  is_error: z.boolean().optional(),
  /** Stable error code, when is_error. */
  df_code: z.string().optional(),
});
export type AgentToolResult = z.infer<typeof AgentToolResult>;

export const DecisionRecorded = z.object({
  /** The agent.tool_use or agent.message that was decided on. */
  event_id: z.string(),
  confidence: Fraction.optional(),
  reason: z.string().max(2000).optional(),
});
export type DecisionRecorded = z.infer<typeof DecisionRecorded>;

export const ThreadMessageSent = z.object({
  to_session_thread_id: z.string(),
  to_agent_name: z.string(),
  content: Content,
});
export type ThreadMessageSent = z.infer<typeof ThreadMessageSent>;

/** A specialist's report; it closes the delegation that it answers. */
export const ThreadMessageReceived = z.object({
  from_session_thread_id: z.string(),
  from_agent_name: z.string(),
  content: Content,
  /** The delegation that it answers. */
  df_tool_use_id: z.string(),
  /** Set when the specialist did not finish its turn. */
  df_is_error: z.boolean().optional(),
});
export type ThreadMessageReceived = z.infer<typeof ThreadMessageReceived>;

export const ThreadContextCompacted = z.object({ df_summary: z.string(), df_tokens_before: z.int().nonnegative() });
export type ThreadContextCompacted = z.infer<typeof ThreadContextCompacted>;

export const ThreadCreated = z.object({
  agent_name: z.string(),
  session_thread_id: z.string(),
  workflow_run_id: z.null(),
  df_parent_thread_id: z.string(),
  df_tool_use_id: z.string(),
});
export type ThreadCreated = z.infer<typeof ThreadCreated>;

export const ThreadStatusRunning = z.object({ agent_name: z.string(), session_thread_id: z.string() });
export type ThreadStatusRunning = z.infer<typeof ThreadStatusRunning>;

export const RefusalDetails = z.object({ type: z.literal('refusal'), category: z.string().nullable(), explanation: z.string().nullable() });

export const ThreadStatusIdle = z.object({
  agent_name: z.string(),
  session_thread_id: z.string(),
  stop_reason: StopReason,
  stop_details: RefusalDetails.nullable(),
});
export type ThreadStatusIdle = z.infer<typeof ThreadStatusIdle>;

export const SessionStatusIdle = z.object({ stop_reason: StopReason, stop_details: RefusalDetails.nullable() });
export type SessionStatusIdle = z.infer<typeof SessionStatusIdle>;

export const SessionUsage = z.object({
  usage: ModelUsage,
  /** null when a model of the session has no price. */
  df_cost_usd: z.number().nullable(),
  df_model_calls: z.int().nonnegative(),
  df_tool_calls: z.int().nonnegative(),
});
export type SessionUsage = z.infer<typeof SessionUsage>;

export const SessionError = z.object({
  error: z.object({
    type: z.enum([
      'unknown_error',
      'model_overloaded_error',
      'model_rate_limited_error',
      'model_request_failed_error',
      'tool_use_limit_reached_error',
      'compaction_limit_reached_error',
    ]),
    message: z.string(),
    retry_status: z.object({ type: z.enum(['retrying', 'exhausted', 'terminal']) }),
  }),
});
export type SessionError = z.infer<typeof SessionError>;

/**
 * The model is about to be asked. The request itself is not stored: it is rendered from the thread's events before this one,
 * and this is its digest.
 */
export const ModelRequestStart = z.object({
  /** See RequestDigests in the runtime. */
  df_request_sha256: z.string(),
  df_purpose: z.enum(['turn', 'compaction']).optional(),
});
export type ModelRequestStart = z.infer<typeof ModelRequestStart>;

export const ModelRequestEnd = z.object({
  model_request_start_id: z.string(),
  is_error: z.boolean().nullable(),
  /** Of the answer. What attempts without one used stands on `model.attempt_failed`. */
  model_usage: ModelUsage,
  /** Left out when the answer came to its own end, with or without tool calls. */
  df_stop_reason: z.enum(['max_tokens', 'refusal', 'error', 'interrupted', 'budget']).optional(),
  /** null when the model has no price; left out when it cost nothing. */
  df_cost_usd: z.number().nullable().optional(),
  /** Why the model refused, when it said so. */
  df_refusal: z.object({ category: z.string().nullable(), explanation: z.string().nullable() }).optional(),
});
export type ModelRequestEnd = z.infer<typeof ModelRequestEnd>;

/** One attempt at a model request, or at a grader, failed; the next one starts after the wait, unless this was the last. */
export const ModelAttemptFailed = z.object({
  model_request_start_id: z.string(),
  attempt: z.int().positive(),
  code: z.string(),
  message: z.string(),
  retry_after_ms: z.int().nonnegative().nullable(),
  /** What it used all the same, as far as the model said; its answer may have been refused, cut off or of no use. */
  model_usage: ModelUsage.optional(),
  /** What that cost: null when the model has no price; left out when it was nothing. */
  cost_usd: z.number().nullable().optional(),
});
export type ModelAttemptFailed = z.infer<typeof ModelAttemptFailed>;

/** A cap stopped a call before it started; `wall_time_ms` also stops what is under way. */
export const CapReached = z.object({
  cap: z.enum(['depth', 'threads', 'turns', 'tool_calls', 'tokens', 'cost_usd', 'wall_time_ms', 'identical_calls']),
  limit: z.number(),
  value: z.number(),
  tool_use_id: z.string().optional(),
});
export type CapReached = z.infer<typeof CapReached>;

export const GraderRef = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('code'), name: z.string() }),
  z.object({ kind: z.literal('model'), model: z.string() }),
  z.object({ kind: z.literal('person') }),
]);
export type GraderRef = z.infer<typeof GraderRef>;

export const Criterion = z.object({
  id: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/),
  /** What is asked, in words that a person and a model can judge by. */
  ask: z.string().min(1).max(4000),
  weight: z.number().positive().max(1000),
  grader: GraderRef,
});
export type Criterion = z.infer<typeof Criterion>;

export const DefineOutcome = z.object({
  outcome_id: z.string(),
  description: z.string().min(1),
  rubric: z.object({ type: z.literal('text'), content: z.string().max(262_144) }),
  max_iterations: z.int().min(1).max(20).nullable(),
  df_criteria: z.array(Criterion).min(1).max(50),
  /** The weighted score from which the outcome is satisfied. */
  df_pass_score: Fraction,
});
export type DefineOutcome = z.infer<typeof DefineOutcome>;

export const OutcomeEvaluationStart = z.object({ outcome_id: z.string(), iteration: z.int().nonnegative() });
export type OutcomeEvaluationStart = z.infer<typeof OutcomeEvaluationStart>;

export const GivenInsight = z.object({ store: z.string(), insight_id: z.string() });
export type GivenInsight = z.infer<typeof GivenInsight>;

/** What of the session's memory a thread was given with its first request; outcomes count for or against it. */
export const MemoryGiven = z.object({
  insights: z.array(GivenInsight),
  size_bytes: z.int().nonnegative(),
  /** Of the text as it stands in the prompt. */
  sha256: z.string(),
});
export type MemoryGiven = z.infer<typeof MemoryGiven>;

export const CriterionScore = z.object({ id: z.string(), score: Fraction, reason: z.string(), grader: z.string() });
export type CriterionScore = z.infer<typeof CriterionScore>;

/** A person's score of one criterion, asked for by an evaluation. */
export const OutcomeJudged = z.object({
  outcome_evaluation_start_id: z.string(),
  criterion_id: z.string(),
  score: Fraction,
  reason: z.string().min(1),
  by: z.string().min(1),
});
export type OutcomeJudged = z.infer<typeof OutcomeJudged>;

export const OutcomeScored = z.object({
  outcome_id: z.string(),
  iteration: z.int().nonnegative(),
  /** The agent.message that was judged. */
  attempt_event_id: z.string(),
  score: Fraction,
  criteria: z.array(CriterionScore),
});
export type OutcomeScored = z.infer<typeof OutcomeScored>;

export const OutcomeEvaluationEnd = z.object({
  outcome_evaluation_start_id: z.string(),
  outcome_id: z.string(),
  iteration: z.int().nonnegative(),
  result: z.enum(['satisfied', 'needs_revision', 'max_iterations_reached', 'failed', 'interrupted']),
  explanation: z.string(),
  usage: ModelUsage,
  /** What the graders cost; null when one of their models has no price; left out when it was nothing. */
  df_cost_usd: z.number().nullable().optional(),
});
export type OutcomeEvaluationEnd = z.infer<typeof OutcomeEvaluationEnd>;

/** What came of it later, from outside: a desk re-routes the ticket, a test fails in production. */
export const FeedbackRecorded = z.object({
  /** The event that it judges, in the same session. */
  judges: z.string(),
  verdict: z.enum(['right', 'wrong']),
  /** The fields of the judged call's input that would have been right, when known. */
  right_answer: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  reason: z.string().max(4000).optional(),
  by: z.string().min(1),
  /** What weight its word has. Left out, `labellerClassOf` says. */
  class: LabellerClass.optional(),
});
export type FeedbackRecorded = z.infer<typeof FeedbackRecorded>;

/** The result that an imported run was recorded with. */
export const OutcomeImported = z.object({ score: Fraction, source: z.string(), reason: z.string().optional() });
export type OutcomeImported = z.infer<typeof OutcomeImported>;

/**
 * An operator lets the session go on although one of its events is newer than the code that runs it, or forged: code that does not know that
 * event passes over it, as if it had changed nothing. Code that knows it folds it all the same.
 */
export const EventSkipped = z.object({
  /** Its id. */
  event: z.string().min(1),
  reason: z.string().min(1).max(4000),
  by: z.string().min(1),
});
export type EventSkipped = z.infer<typeof EventSkipped>;

/** Schemas by type; the newest version of each. */
export const SESSION_EVENTS = {
  'session.created': SessionCreated,
  'session.claimed': SessionClaimed,
  'session.team_updated': TeamUpdated,
  'session.status_running': None,
  'session.status_idle': SessionStatusIdle,
  'session.usage': SessionUsage,
  'session.error': SessionError,
  'session.event_skipped': EventSkipped,
  'session.thread_created': ThreadCreated,
  'session.thread_status_running': ThreadStatusRunning,
  'session.thread_status_idle': ThreadStatusIdle,
  'user.message': UserMessage,
  'user.interrupt': UserInterrupt,
  'user.tool_confirmation': ToolConfirmation,
  'user.define_outcome': DefineOutcome,
  'message.taken_up': MessageTakenUp,
  'agent.message': AgentMessage,
  'agent.thinking': AgentThinking,
  'agent.tool_use': AgentToolUse,
  'agent.tool_result': AgentToolResult,
  'agent.thread_message_sent': ThreadMessageSent,
  'agent.thread_message_received': ThreadMessageReceived,
  'agent.thread_context_compacted': ThreadContextCompacted,
  'tool.started': ToolStarted,
  'approval.stale': ApprovalStale,
  'decision.recorded': DecisionRecorded,
  'cap.reached': CapReached,
  'memory.given': MemoryGiven,
  'span.model_request_start': ModelRequestStart,
  'span.model_request_end': ModelRequestEnd,
  'model.attempt_failed': ModelAttemptFailed,
  'span.outcome_evaluation_start': OutcomeEvaluationStart,
  'span.outcome_evaluation_end': OutcomeEvaluationEnd,
  'outcome.scored': OutcomeScored,
  'outcome.judged': OutcomeJudged,
  'outcome.imported': OutcomeImported,
  'feedback.recorded': FeedbackRecorded,
} as const;
