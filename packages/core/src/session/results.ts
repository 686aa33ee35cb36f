import {
  eventId,
  firstCharacters,
  idFrom,
  text,
  type Content,
  type ContentBlock,
  type CriterionScore,
  type ModelUsage,
  type NewEvent,
} from '@dreamfold/events';
import { answerParts, withoutCalls, type AnswerBlock, type CallBlock, type Decision } from './answer-parts.ts';
import { callHash } from './commands/approval.ts';
import { attemptFailed, calledOff, graderAttemptFailed, spentOf } from './attempts.ts';
import { capEvents, type ReachedCap } from './caps.ts';
import { openWork, type DecideContext } from './decide.ts';
import { errorResult, owned } from './owned-event.ts';
import { DELEGATE_TOOL } from './prompt.ts';
import { judgeCall } from './refuse-call.ts';
import { agentOf, answerOfTurn, callOf, threadOf, type SessionState, type Thread } from './fold/state.ts';

// What came of work, as events. When the work is no longer open, because it was interrupted or done before, only what it cost is written.

export interface Answer {
  content: readonly AnswerBlock[];
  stopReason: 'end_turn' | 'tool_use' | 'max_tokens' | 'refusal';
  usage: ModelUsage;
  refusal?: { category: string | null; explanation: string | null };
  /** null when the model has no price. */
  costUsd: number | null;
}

interface Writer {
  state: SessionState;
  thread: Thread;
  appendId: string;
  context: DecideContext;
  events: NewEvent[];
}

/** Adds an event and returns the id that it will have. */
function write(w: Writer, type: string, data: unknown): string {
  w.events.push(owned(type, w.thread.id, data));
  return eventId(w.appendId, w.events.length - 1);
}

interface Answered {
  threadId: string;
  startId: string;
  attempt?: number;
  answer: Answer;
  appendId: string;
}

/** The answer of a model, with the calls that it asks for: each allowed, asked for, or closed with the reason why not. */
export function modelAnswered(
  state: SessionState,
  { threadId, startId, attempt = 1, answer, appendId }: Answered,
  context: DecideContext,
): NewEvent[] {
  const thread = threadOf(state, threadId);
  if (thread?.request?.startId !== startId) return calledOff({ actor: threadId, startId, attempt, spent: spentOf(answer) });
  const w: Writer = { state, thread, appendId, context, events: [] };
  const { purpose } = thread.request;
  let stopReason: 'interrupted' | 'max_tokens' | 'refusal' | 'error' | null =
    answer.stopReason === 'max_tokens' || answer.stopReason === 'refusal' ? answer.stopReason : null;
  if (thread.interrupted) stopReason = 'interrupted';
  if (purpose === 'turn') {
    // A call of an answer that was cut off may be cut off itself; one that comes after an interrupt must not start.
    for (const part of answerParts(stopReason === null ? answer.content : withoutCalls(answer.content))) {
      if (part.kind === 'said') writeSaid(w, part.content, part.decision);
      else if (part.kind === 'call') writeCall(w, part.call);
      else write(w, 'agent.thinking', { df_content: part.content });
    }
  } else if (stopReason === null && !writeSummary(w, answer)) {
    writeError(w, 'compaction_limit_reached_error', `The model gave no summary of what the agent ${thread.agent} has done so far.`);
    stopReason = 'error';
  }
  if (stopReason === 'max_tokens') {
    const limit = agentOf(state, thread.agent)?.max_tokens;
    const message = `The answer was cut off at max_tokens = ${limit}; give the agent ${thread.agent} a larger maxTokens.`;
    writeError(w, 'model_request_failed_error', message);
  }
  write(w, 'span.model_request_end', {
    model_request_start_id: startId,
    is_error: false,
    model_usage: answer.usage,
    ...(stopReason === null ? {} : { df_stop_reason: stopReason }),
    ...(answer.costUsd === 0 ? {} : { df_cost_usd: answer.costUsd }),
    ...(answer.refusal === undefined ? {} : { df_refusal: answer.refusal }),
  });
  return w.events;
}

/** Nothing takes the place of the messages unless there is a summary of them. */
function writeSummary(w: Writer, answer: Answer): boolean {
  const texts = answer.content.map((block) => (block.type === 'text' ? block.text : ''));
  const summary = texts.join('\n').trim().toWellFormed();
  if (summary === '') return false;
  write(w, 'agent.thread_context_compacted', { df_summary: summary, df_tokens_before: w.thread.contextTokens });
  return true;
}

function writeError(w: Writer, type: 'model_request_failed_error' | 'compaction_limit_reached_error', message: string): void {
  write(w, 'session.error', { error: { type, message, retry_status: { type: 'terminal' } } });
}

function writeSaid(w: Writer, content: readonly ContentBlock[], decision: Decision | undefined): void {
  // Half of a surrogate pair is no text: a service refuses every request that holds one.
  const isWhole = content.every((block) => block.type !== 'text' || block.text.isWellFormed());
  const whole = isWhole ? content : content.map((block) => (block.type === 'text' ? { ...block, text: block.text.toWellFormed() } : block));
  const id = write(w, 'agent.message', { content: whole, ...(isWhole ? {} : { df_repaired: true }) });
  writeDecision(w, id, decision);
}

function writeDecision(w: Writer, eventId: string, decision: Decision | undefined): void {
  const confidence = decision?.confidence;
  const valid = typeof confidence === 'number' && confidence >= 0 && confidence <= 1;
  const reason = typeof decision?.reason === 'string' ? firstCharacters(decision.reason, 2000).toWellFormed() : undefined;
  if (!valid && reason === undefined) return;
  write(w, 'decision.recorded', { event_id: eventId, ...(valid ? { confidence } : {}), ...(reason === undefined ? {} : { reason }) });
}

/** Takes the `decision` field out of a call's input: it is for the log, not for the tool. */
function splitDecision(input: unknown): { input: unknown; decision: Decision | undefined } {
  if (typeof input !== 'object' || input === null || Array.isArray(input) || !('decision' in input)) return { input, decision: undefined };
  const { decision, ...rest } = input as Record<string, unknown>;
  return { input: rest, decision: typeof decision === 'object' && decision !== null ? decision : undefined };
}

function writeCall(w: Writer, block: Omit<CallBlock, 'type'>): void {
  const split = splitDecision(block.input);
  const call = { name: block.name, input: split.input };
  const judged = judgeCall({ ...w, ...call }, w.context);
  const refusal = 'refusal' in judged ? judged.refusal : null;
  const asked = 'ask' in judged ? judged.ask : null;
  const id = write(w, 'agent.tool_use', {
    ...call,
    evaluated_permission: refusal !== null ? 'deny' : asked !== null ? 'ask' : 'allow',
    ...(asked?.parsed === undefined ? {} : { df_parsed_input: asked.parsed }),
    ...(asked === null ? {} : { df_call_hash: hashOf(w, { ...call, input: asked.parsed ?? call.input }) }),
  });
  writeDecision(w, id, block.decision ?? split.decision);
  if (refusal !== null) {
    if (refusal.cap !== undefined) {
      // A session out of tool calls stops; a call too deep, too many or once too often only fails.
      const whole = refusal.cap.cap === 'tool_calls';
      write(w, 'cap.reached', whole ? refusal.cap : { ...refusal.cap, tool_use_id: id });
    }
    w.events.push(errorResult(w.thread.id, id, refusal));
  } else if (call.name === DELEGATE_TOOL) writeDelegation(w, id, call.input as { agent: string; message: string });
}

function hashOf(w: Writer, call: { name: string; input: unknown }): string {
  return callHash(agentOf(w.state, w.thread.agent), call, w.context);
}

function writeDelegation(w: Writer, callId: string, input: { agent: string; message: string }): void {
  const child = { agent_name: input.agent, session_thread_id: idFrom('thread', w.context.sha256(callId)) };
  write(w, 'session.thread_created', { ...child, workflow_run_id: null, df_parent_thread_id: w.thread.id, df_tool_use_id: callId });
  write(w, 'agent.thread_message_sent', {
    to_session_thread_id: child.session_thread_id,
    to_agent_name: input.agent,
    content: text(input.message),
  });
  write(w, 'session.thread_status_running', child);
}

export interface ToolOutput {
  text: string;
  /** Stable code of what went wrong. */
  errorCode?: string;
  blob?: { sha256: string; size_bytes: number };
  /** In the place of the text, when it gave more than text. */
  content?: Content;
  /** The cap that stopped it. */
  cap?: ReachedCap;
}

/** A tool came back. */
export function toolFinished(state: SessionState, callId: string, output: ToolOutput): NewEvent[] {
  const found = callOf(state, callId);
  if (found === undefined || found.call.status !== 'running') return [];
  return [
    ...capEvents(state, found.thread.id, output.cap),
    owned('agent.tool_result', found.thread.id, {
      tool_use_id: callId,
      content: output.content ?? [{ type: 'text', text: output.text, ...(output.blob === undefined ? {} : { df_blob: output.blob }) }],
      ...(output.errorCode === undefined ? {} : { is_error: true, df_code: output.errorCode }),
    }),
  ];
}

export interface Grading {
  evaluationId: string;
  /** Scores of the code and model graders; people's are on the log. */
  scores: readonly CriterionScore[];
  usage: ModelUsage;
  /** null when a grader's model has no price. */
  costUsd: number | null;
  /** Set when a grader could not judge at all. */
  failure?: string;
}

/** An evaluation is complete: the attempt is scored, and is final, or goes back with the reasons. */
export function graded(state: SessionState, grading: Grading): NewEvent[] {
  const { outcome } = state;
  if (outcome === null || outcome.status !== 'evaluating' || outcome.evaluationId !== grading.evaluationId)
    return calledOff({ actor: 'grader', startId: grading.evaluationId, attempt: 1, spent: spentOf(grading) });
  const end = (result: string, explanation: string): NewEvent =>
    owned('span.outcome_evaluation_end', 'system', {
      outcome_evaluation_start_id: grading.evaluationId,
      outcome_id: outcome.id,
      iteration: outcome.iteration,
      result,
      explanation,
      usage: grading.usage,
      ...(grading.costUsd === 0 ? {} : { df_cost_usd: grading.costUsd }),
    });
  if (grading.failure !== undefined) return [end('failed', grading.failure)];
  const scores = [...grading.scores, ...outcome.judged];
  const criteria = outcome.criteria.flatMap(({ id }) => scores.find((s) => s.id === id) ?? []);
  const missing = outcome.criteria.filter(({ id }) => !criteria.some((c) => c.id === id)).map(({ id }) => id);
  if (missing.length > 0)
    return [end('failed', `No grader scored ${missing.join(', ')}. Resume with the rubric that the session began with.`)];
  const score = weightedScore(outcome.criteria, criteria);
  const satisfied = score >= outcome.passScore;
  const last = outcome.iteration + 1 >= outcome.maxIterations;
  const answers = [...outcome.attempts.slice(outcome.attemptsBefore).map((attempt) => attempt.score), score];
  const words = `score ${score.toFixed(2)} of ${outcome.passScore.toFixed(2)} asked`;
  return [
    owned('outcome.scored', 'system', {
      outcome_id: outcome.id,
      iteration: outcome.iteration,
      attempt_event_id: answerOfTurn(state)?.eventId ?? '',
      score,
      criteria,
    }),
    satisfied
      ? end('satisfied', words)
      : last
        ? end('max_iterations_reached', `${words}; the best of ${answers.length} attempts has ${Math.max(...answers).toFixed(2)}`)
        : end('needs_revision', words),
  ];
}

/** Mean of the scores by weight, rounded to 1e-9 so that sums of weights do not miss a pass mark by a rounding error. */
function weightedScore(criteria: readonly { id: string; weight: number }[], scores: readonly CriterionScore[]): number {
  const total = criteria.reduce((sum, c) => sum + c.weight, 0);
  const sum = criteria.reduce((s, c) => s + c.weight * (scores.find((x) => x.id === c.id)?.score ?? 0), 0);
  return Math.min(1, Math.round((sum / total) * 1e9) / 1e9);
}

/**
 * What a process that takes a session over writes first: a request that was under way is asked once more, and shows it;
 * an unsafe tool that was running is not run again.
 */
export function recovered(state: SessionState): NewEvent[] {
  const events: NewEvent[] = [];
  for (const work of openWork(state)) {
    const thread = 'threadId' in work ? threadOf(state, work.threadId) : undefined;
    if (work.kind === 'model' && thread !== undefined) {
      events.push(
        ...attemptFailed(state, {
          threadId: work.threadId,
          startId: work.startId,
          attempt: work.attempt,
          code: 'process_restarted',
          message: 'The process that asked is gone; the answer, if there was one, was not recorded.',
          retryAfterMs: 0,
        }),
      );
    } else if (work.kind === 'tool' && thread !== undefined) {
      const tool = agentOf(state, thread.agent)?.tools.find((t) => t.name === work.name);
      if (tool?.effect !== 'unsafe') continue;
      const message = 'Outcome unknown: the process stopped while this ran, and it is not safe to run twice. Check before you try again.';
      events.push(errorResult(thread.id, work.callId, { code: 'tool_outcome_unknown', message }));
    } else if (work.kind === 'grade' && state.outcome?.criteria.some((c) => c.grader.kind === 'model') === true) {
      const message = 'The process that graded is gone; the attempt is graded once more.';
      const failure = { evaluationId: work.evaluationId, attempt: 1, code: 'process_restarted', message, retryAfterMs: 0 };
      events.push(...graderAttemptFailed(state, failure));
    }
  }
  return events;
}
