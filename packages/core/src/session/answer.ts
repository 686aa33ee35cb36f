import {
  eventId,
  firstCharacters,
  idFrom,
  text,
  textOf,
  type ContentBlock,
  type EventData,
  type EventType,
  type ModelUsage,
  type NewEvent,
  newEvent,
} from '@dreamfold/events';
import { answerParts, withoutCalls, type AnswerBlock, type CallBlock, type Decision } from './answer-parts.ts';
import { callHash } from './commands/approval.ts';
import { calledOff, spentOf } from './attempts.ts';
import { type DecideContext } from './decide.ts';
import { errorResult } from './error-result.ts';
import { DELEGATE_TOOL } from './prompt.ts';
import { judgeCall } from './refuse-call.ts';
import { agentOf, threadOf, type SessionState, type Thread } from './fold/state.ts';

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
function write<T extends EventType>(w: Writer, type: T, data: EventData[T]): string {
  w.events.push(newEvent(type, w.thread.id, data));
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
  const said = answer.content.filter((block) => block.type !== 'tool_use');
  const summary = textOf(said).trim().toWellFormed();
  if (summary === '') return false;
  write(w, 'agent.thread_context_compacted', { df_summary: summary, df_tokens_before: w.thread.contextTokens });
  return true;
}

function writeError(w: Writer, type: 'model_request_failed_error' | 'compaction_limit_reached_error', message: string): void {
  write(w, 'session.error', { error: { type, message, retry_status: { type: 'terminal' } } });
}

function writeSaid(w: Writer, content: ContentBlock[], decision: Decision | undefined): void {
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
