import { text, type NewEvent, type StopReason, newEvent } from '@dreamfold/events';
import { afterChange, startConfirmed, type ApprovalContext } from './commands/approval.ts';
import { reachedCap } from './caps.ts';
import { errorResult } from './error-result.ts';
import { DELEGATE_TOOL } from './prompt.ts';
import { utf8Bytes } from '../memory/document/canonical-json.ts';
import { NO_MEMORY, type SelectedMemory } from '../memory/prompt/select.ts';
import {
  agentOf,
  callOf,
  hasOpenCalls,
  INTERRUPTED,
  NO_USAGE,
  threadOf,
  waitsForTurn,
  type Call,
  type Outcome,
  type SessionState,
  type Thread,
} from './fold/state.ts';

/** What deciding needs from outside: digests, and what tools take. All are functions of what they are given. */
export interface DecideContext extends ApprovalContext {
  /** What of the session's memory a thread is given; its task is known by then. */
  memoryFor(state: SessionState, thread: Thread): SelectedMemory;
  /** Digest of the request that a thread would send now. */
  requestDigest(state: SessionState, thread: Thread, purpose: 'turn' | 'compaction'): string;
}

/** A thread is compacted when its newest request took this part of the context window. */
const COMPACT_AT = 0.8;

/**
 * What follows from the state alone, as the next events to append; [] when the session waits for something outside.
 * Call it again with the state after them. Work to perform is not returned: see openWork.
 */
export function decideSession(state: SessionState, context: DecideContext): NewEvent[] {
  if (!state.exists || state.suspended !== null || state.imported !== null) return [];
  const events = nextStep(state, context);
  if (events.length === 0 && state.status === 'running') return settle(state);
  // A person's last score leaves nothing to decide, but something to do.
  if (events.length === 0 && openWork(state).length === 0) return [];
  if (state.status === 'running') return events;
  const lead = state.threads[0] as Thread;
  return [
    newEvent('session.status_running', 'system', {}),
    ...(lead.running ? [] : [newEvent('session.thread_status_running', lead.id, { agent_name: lead.agent, session_thread_id: lead.id })]),
    ...events,
  ];
}

function nextStep(state: SessionState, context: DecideContext): NewEvent[] {
  for (const thread of state.threads) {
    if (!thread.running) continue;
    const events = thread.interrupted ? closeInterrupted(state, thread) : advance(state, thread, context);
    if (events.length > 0) return events;
  }
  const lead = state.threads[0] as Thread;
  if (waitsForTurn(state) && state.capReached === null) return takeUp(state, lead);
  return [];
}

/** The next step of one running thread that nobody interrupted. */
function advance(state: SessionState, thread: Thread, context: DecideContext): NewEvent[] {
  for (const call of thread.calls) {
    const events = advanceCall(state, { thread, call }, context);
    if (events.length > 0) return events;
  }
  if (thread.request !== null || hasOpenCalls(thread)) return [];
  if (thread.stop !== null) return stopThread(state, thread, thread.stop);
  const leads = thread.parent === null;
  const { outcome } = state;
  // A cap that was reached before anybody had judged the answer.
  if (leads && outcome?.status === 'evaluating') return state.capReached === null ? [] : stopThread(state, thread, 'budget_reached');
  const grades = leads && outcome?.status === 'working';
  const takesUp = leads && state.queue.length > 0;
  // What is finished is finished, cap or no cap.
  if (!takesUp && thread.pending.length === 0 && !grades) return stopThread(state, thread, 'end_turn');
  if (state.capReached !== null) return stopThread(state, thread, 'budget_reached');
  if (takesUp) return takeUp(state, thread);
  return thread.pending.length > 0 ? startRequest(state, thread, context) : startEvaluation(state, outcome!);
}

function startEvaluation(state: SessionState, outcome: Outcome): NewEvent[] {
  const asksModel = outcome.criteria.some(({ grader }) => grader.kind === 'model');
  const reached = asksModel ? reachedCap(state, 'evaluation') : null;
  if (reached !== null) return [newEvent('cap.reached', 'system', reached)];
  return [newEvent('span.outcome_evaluation_start', 'system', { outcome_id: outcome.id, iteration: outcome.iteration })];
}

function advanceCall(state: SessionState, { thread, call }: { thread: Thread; call: Call }, context: DecideContext): NewEvent[] {
  const waits = call.status === 'asked' || call.status === 'confirmed' || call.status === 'stale';
  if (waits && state.capReached !== null) {
    const { cap, limit } = state.capReached;
    return [
      errorResult(thread.id, call.id, { code: 'budget_exceeded', message: `Not run: the session reached its cap ${cap} = ${limit}.` }),
    ];
  }
  switch (call.status) {
    case 'denied':
      return [errorResult(thread.id, call.id, { code: 'denied', message: call.denyMessage ?? 'A person refused this call.' })];
    case 'confirmed':
      return [startConfirmed(state, { thread, call }, context)];
    case 'stale':
      return [afterChange(state, { thread, call }, context)];
    case 'asked':
    case 'running':
    case 'closed':
      return [];
  }
}

function takeUp(state: SessionState, lead: Thread): NewEvent[] {
  return [newEvent('message.taken_up', lead.id, { message_ids: state.queue.map((m) => m.id) })];
}

function startRequest(state: SessionState, thread: Thread, context: DecideContext): NewEvent[] {
  const reached = reachedCap(state, 'turn');
  if (reached !== null) return [newEvent('cap.reached', thread.id, reached)];
  const window = agentOf(state, thread.agent)?.context_window ?? Number.POSITIVE_INFINITY;
  const compact = thread.contextTokens > window * COMPACT_AT && thread.messages.length > 2;
  const purpose = compact ? 'compaction' : 'turn';
  const memory = state.memory.length > 0 ? context.memoryFor(state, thread) : NO_MEMORY;
  return [
    ...(isGiven(thread, memory) ? [] : [givenEvent(thread, memory, context)]),
    newEvent('span.model_request_start', thread.id, {
      df_request_sha256: context.requestDigest(state, thread, purpose),
      ...(compact ? { df_purpose: purpose } : {}),
    }),
  ];
}

/** A team that takes the session over may have other tools, and so be told other things. */
function isGiven({ given }: Thread, { text, insights }: SelectedMemory): boolean {
  if (given === null) return text === '';
  return (
    given.length === insights.length &&
    given.every(({ store, insight_id: id }, i) => store === insights[i]!.store && id === insights[i]!.insight_id)
  );
}

function givenEvent(thread: Thread, { text: words, insights }: SelectedMemory, context: DecideContext): NewEvent {
  return newEvent('memory.given', thread.id, { insights, size_bytes: utf8Bytes(words), sha256: context.sha256(words) });
}

/** A thread ends its turn: the lead with the session, a specialist with a report to its parent. */
function stopThread(state: SessionState, thread: Thread, reason: StopReason['type']): NewEvent[] {
  const stop_reason = (reason === 'requires_action' ? { type: reason, event_ids: [] } : { type: reason }) as StopReason;
  const stop_details = reason === 'refusal' ? { type: 'refusal' as const, category: null, explanation: null, ...thread.refusal } : null;
  const idle = newEvent('session.thread_status_idle', thread.id, {
    agent_name: thread.agent,
    session_thread_id: thread.id,
    stop_reason,
    stop_details,
  });
  if (thread.parent === null) {
    return [
      ...(reason === 'end_turn' ? [] : endOutcome(state, 'failed', stoppedBefore(state, reason))),
      idle,
      usageEvent(state),
      newEvent('session.status_idle', 'system', { stop_reason, stop_details }),
    ];
  }
  return [idle, report(state, thread, reason)];
}

/** Why the lead of an outcome that is not graded to its end stopped, and how far it was. */
function stoppedBefore({ capReached, outcome }: SessionState, reason: StopReason['type']): string {
  const graded = `${outcome?.attempts.length ?? 0} of ${outcome?.maxIterations ?? 0} attempts were graded`;
  if (reason !== 'budget_reached' || capReached === null) return `The lead stopped: ${reason}; ${graded}.`;
  const { cap, limit, value } = capReached;
  return `The cap ${cap} = ${limit} was reached (at ${value}); ${graded}.`;
}

function report(state: SessionState, child: Thread, reason: StopReason['type'] | 'interrupted'): NewEvent {
  const failed = reason !== 'end_turn';
  const words = child.lastMessage?.text ?? '';
  return newEvent('agent.thread_message_received', child.parent ?? '', {
    from_session_thread_id: child.id,
    from_agent_name: child.agent,
    content: text(
      failed
        ? `${child.agent} did not finish (${reason}).${state.error !== null && reason === 'retries_exhausted' ? ` ${state.error}` : ''}`
        : words,
    ),
    df_tool_use_id: child.delegation ?? '',
    ...(failed ? { df_is_error: true } : {}),
  });
}

function usageEvent(state: SessionState): NewEvent {
  const { modelCalls, toolCalls, costUsd, ...usage } = state.usage;
  return newEvent('session.usage', 'system', { usage, df_cost_usd: costUsd, df_model_calls: modelCalls, df_tool_calls: toolCalls });
}

function endOutcome(state: SessionState, result: 'failed' | 'interrupted', explanation: string): NewEvent[] {
  const outcome = state.outcome;
  if (outcome === null || outcome.status === 'done') return [];
  return [
    newEvent('span.outcome_evaluation_end', 'system', {
      outcome_evaluation_start_id: outcome.evaluationId ?? '',
      outcome_id: outcome.id,
      iteration: outcome.iteration,
      result,
      explanation,
      usage: NO_USAGE,
    }),
  ];
}

/** Closes all that an interrupted thread has open, so that its history stays one that a model accepts. */
function closeInterrupted(state: SessionState, thread: Thread): NewEvent[] {
  const events: NewEvent[] = [];
  if (thread.request !== null) {
    events.push(
      newEvent('span.model_request_end', thread.id, {
        model_request_start_id: thread.request.startId,
        is_error: true,
        model_usage: NO_USAGE,
        // Nothing is known to have been paid for an answer that was cut off.
        df_stop_reason: 'interrupted',
      }),
    );
  }
  for (const call of thread.calls) {
    if (call.status !== 'closed')
      events.push(errorResult(thread.id, call.id, { code: 'interrupted', message: 'Interrupted before it finished.' }));
  }
  const stop_reason: StopReason = { type: 'end_turn' };
  const idle = newEvent('session.thread_status_idle', thread.id, {
    agent_name: thread.agent,
    session_thread_id: thread.id,
    stop_reason,
    stop_details: null,
  });
  if (thread.parent === null) {
    events.push(...endOutcome(state, 'interrupted', INTERRUPTED), idle);
    return events;
  }
  events.push(idle);
  const parent = threadOf(state, thread.parent);
  // A parent that is interrupted as well closes its own calls.
  if (parent !== undefined && !parent.interrupted && callOf(state, thread.delegation ?? '')?.call.status !== 'closed') {
    events.push(report(state, thread, 'interrupted'));
  }
  return events;
}

/** Nothing more to decide: the session idles when nothing is under way, and says what it waits for. */
function settle(state: SessionState): NewEvent[] {
  if (openWork(state).length > 0) return [];
  const waiting = awaitedEvents(state);
  const lead = state.threads[0] as Thread;
  if (waiting.length === 0 && lead.running) return [];
  const stop_reason: StopReason = waiting.length > 0 ? { type: 'requires_action', event_ids: waiting } : { type: 'end_turn' };
  return [usageEvent(state), newEvent('session.status_idle', 'system', { stop_reason, stop_details: null })];
}

/** The calls and the evaluation that wait for a person. */
export function awaitedEvents(state: SessionState): string[] {
  const calls = state.threads.flatMap((t) => t.calls.filter((c) => c.status === 'asked').map((c) => c.id));
  const { outcome } = state;
  if (outcome !== null && outcome.status === 'evaluating' && outcome.evaluationId !== null && unjudged(state).length > 0) {
    calls.push(outcome.evaluationId);
  }
  return calls;
}

/** Criteria of the running evaluation that a person has yet to score. */
export function unjudged(state: SessionState): string[] {
  const { outcome } = state;
  if (outcome === null || outcome.status !== 'evaluating') return [];
  return outcome.criteria.filter((c) => c.grader.kind === 'person' && !outcome.judged.some((s) => s.id === c.id)).map((c) => c.id);
}

/** Something that the runtime has to perform. `key` names it: the same work keeps its key across a restart; `seq` is its intent's. */
export type Work = { key: string; seq: number } & (
  | { kind: 'model'; threadId: string; startId: string; attempt: number; delayMs: number; purpose: 'turn' | 'compaction' }
  | { kind: 'tool'; threadId: string; callId: string; name: string; input: unknown; isParsed: boolean }
  | { kind: 'grade'; evaluationId: string; iteration: number }
);

/** All work whose intent is on the log and whose result is not. */
export function openWork(state: SessionState): Work[] {
  if (state.suspended !== null) return [];
  const work: Work[] = [];
  for (const thread of state.threads) {
    if (!thread.running) continue;
    if (thread.request !== null) {
      const { startId, seq, attempt, delayMs, purpose } = thread.request;
      work.push({ kind: 'model', key: `${startId}/${attempt}`, seq, threadId: thread.id, startId, attempt, delayMs, purpose });
    }
    for (const call of thread.calls) {
      if (call.status !== 'running' || call.name === DELEGATE_TOOL) continue;
      const { id, seq, name, input, isParsed } = call;
      work.push({ kind: 'tool', key: id, seq, threadId: thread.id, callId: id, name, input, isParsed });
    }
  }
  const { outcome } = state;
  if (outcome !== null && outcome.status === 'evaluating' && outcome.evaluationId !== null && unjudged(state).length === 0) {
    work.push({
      kind: 'grade',
      key: outcome.evaluationId,
      seq: outcome.evaluationSeq,
      evaluationId: outcome.evaluationId,
      iteration: outcome.iteration,
    });
  }
  return work;
}
