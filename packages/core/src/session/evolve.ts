import { CATALOGUE, isEventType, knownEvent, textOf, type EventData, type EventType, type LogEvent } from '@dreamfold/events';
import { OUTCOME_HANDLERS } from './evolve-outcome.ts';
import { addUserText, closeCall, subtree, withCall, withResults, withThread, type Handler, type Handlers } from './handlers.ts';
import { List } from './list.ts';
import {
  INTERRUPTED,
  leadThreadId,
  newThread,
  threadOf,
  totalTokens,
  waitsForTurn,
  type Call,
  type SessionState,
  type Thread,
} from './state.ts';

/** How many calls a thread looks back for one that it already made. */
const RECENT_CALLS = 16;

const CORE_HANDLERS: Handlers = {
  'session.created': (state, { data, time }) =>
    state.exists
      ? state
      : {
          ...state,
          exists: true,
          title: data.title ?? null,
          principal: data.principal,
          team: data.team,
          caps: data.caps,
          memory: data.memory,
          imported: data.imported ?? null,
          createdAt: time,
          threads: [newThread({ id: leadThreadId(state.id), agent: data.team.lead, parent: null, delegation: null, depth: 0, task: '' })],
        },
  'session.claimed': (state, { data, time }) => ({
    ...state,
    epoch: state.epoch + 1,
    claimedAt: time,
    claimedByWorker: data.worker === true,
  }),
  'session.team_updated': (state, { data }) => {
    const changed = (thread: Thread, call: Call): boolean =>
      data.changed_tools.some((c) => c.agent === thread.agent && c.tool === call.name) &&
      (call.status === 'asked' || call.status === 'confirmed');
    return {
      ...state,
      team: data.team,
      threads: state.threads.map((t) => ({ ...t, calls: t.calls.map((c) => (changed(t, c) ? { ...c, status: 'stale' as const } : c)) })),
    };
  },
  'session.status_running': (state, { time }) => ({
    ...state,
    status: 'running',
    stopReason: null,
    error: null,
    runningSince: time,
    threads: state.threads.map((t, i) => (i === 0 ? { ...t, running: true } : t)),
  }),
  'session.status_idle': (state, { data, time }) => ({
    ...state,
    status: 'idle',
    stopReason: data.stop_reason,
    activeMs: state.activeMs + (state.runningSince === null ? 0 : Math.max(0, time - state.runningSince)),
    runningSince: null,
  }),
  'session.error': (state, { data }) => ({ ...state, error: data.error.message }),
  'session.thread_created': (state, { data }) => {
    const parent = threadOf(state, data.df_parent_thread_id);
    if (parent === undefined || threadOf(state, data.session_thread_id) !== undefined) return state;
    const child = newThread({
      id: data.session_thread_id,
      agent: data.agent_name,
      parent: parent.id,
      delegation: data.df_tool_use_id,
      depth: parent.depth + 1,
      task: '',
    });
    const next = { ...state, threads: [...state.threads, child] };
    return withCall(next, data.df_tool_use_id, (call) => ({ ...call, child: child.id }));
  },
  'session.thread_status_running': (state, { data }) =>
    withThread(state, data.session_thread_id, (t) => ({ ...t, running: true, stop: null })),
  'session.thread_status_idle': (state, { data }) =>
    withThread(state, data.session_thread_id, (t) => ({
      ...t,
      running: data.stop_reason.type === 'requires_action',
      interrupted: false,
      stop: data.stop_reason.type,
      request: null,
    })),
  'user.message': (state, { id, data }) => ({ ...state, queue: [...state.queue, { id, content: data.content }] }),
  'message.taken_up': (state, { data }) => {
    const taken = state.queue.filter((m) => data.message_ids.includes(m.id));
    const lead = state.threads[0];
    if (lead === undefined || taken.length === 0) return state;
    const texts = taken.map((m) => textOf(m.content));
    return withThread({ ...state, interrupted: false, queue: state.queue.filter((m) => !taken.includes(m)) }, lead.id, (t) => ({
      ...texts.reduce(addUserText, t),
      task: t.task === '' ? texts.join('\n') : t.task,
    }));
  },
  'user.interrupt': (state, { data }) => {
    const [lead] = state.threads;
    if (lead === undefined) return state;
    const ids = subtree(state, data.session_thread_id ?? lead.id);
    if (ids.has(lead.id) && waitsForTurn(state)) return withdrawn(state);
    return {
      ...state,
      interrupted: state.interrupted || (ids.has(lead.id) && lead.running),
      threads: state.threads.map((t) => (ids.has(t.id) && t.running ? { ...t, interrupted: true } : t)),
    };
  },
  'user.tool_confirmation': (state, { id, data }) =>
    withCall(state, data.tool_use_id, (call) => {
      if (call.status !== 'asked') return call;
      return data.result === 'allow'
        ? { ...call, status: 'confirmed', confirmationId: id }
        : { ...call, status: 'denied', denyMessage: data.deny_message ?? null };
    }),
};

const MODEL_HANDLERS: Handlers = {
  'span.model_request_start': (state, { id, seq, actor, data }) =>
    withThread({ ...state, usage: { ...state.usage, modelCalls: state.usage.modelCalls + 1 } }, actor, (t) => ({
      ...t,
      messages: t.pending.length > 0 ? t.messages.push({ role: 'user', content: t.pending }) : t.messages,
      pending: [],
      draft: [],
      calls: [],
      request: { startId: id, seq, purpose: data.df_purpose ?? 'turn', attempt: 1, delayMs: 0 },
    })),
  'model.attempt_failed': (state, { actor, data }) =>
    withThread(state, actor, (t) =>
      t.request?.startId === data.model_request_start_id
        ? { ...t, request: { ...t.request, attempt: data.attempt + 1, delayMs: data.retry_after_ms ?? 0 } }
        : t,
    ),
  'agent.message': (state, { id, actor, data }) => {
    const value = textOf(data.content);
    return withThread(state, actor, (thread) => {
      const t = state.imported === null ? thread : nextImportedTurn(thread);
      return { ...t, draft: [...t.draft, { type: 'text', text: value }], lastMessage: { eventId: id, text: value } };
    });
  },
  'agent.tool_use': (state, { id, seq, actor, data }) =>
    withThread({ ...state, usage: { ...state.usage, toolCalls: state.usage.toolCalls + 1 } }, actor, (thread) => {
      const t = state.imported === null ? thread : nextImportedTurn(thread);
      const call: Call = {
        id,
        seq,
        name: data.name,
        input: data.input,
        // A denied call gets its result in the same append.
        status: data.evaluated_permission === 'ask' ? 'asked' : 'running',
        callHash: data.df_call_hash ?? null,
        confirmationId: null,
        denyMessage: null,
        child: null,
        result: null,
      };
      return {
        ...t,
        draft: [...t.draft, { type: 'tool_use', id, name: data.name, input: data.input }],
        recentCalls: [...t.recentCalls.slice(1 - RECENT_CALLS), callKey(data.name, data.input)],
        calls: [...t.calls, call],
      };
    }),
  'span.model_request_end': (state, { actor, data }) => {
    const u = data.model_usage;
    const usage = {
      input_tokens: state.usage.input_tokens + u.input_tokens,
      output_tokens: state.usage.output_tokens + u.output_tokens,
      cache_creation_input_tokens: state.usage.cache_creation_input_tokens + u.cache_creation_input_tokens,
      cache_read_input_tokens: state.usage.cache_read_input_tokens + u.cache_read_input_tokens,
      modelCalls: state.usage.modelCalls,
      toolCalls: state.usage.toolCalls,
      costUsd: state.usage.costUsd === null || data.df_cost_usd === null ? null : state.usage.costUsd + (data.df_cost_usd ?? 0),
    };
    return withThread({ ...state, usage }, actor, (t) => {
      const ended: Thread = {
        ...t,
        messages: t.draft.length > 0 ? t.messages.push({ role: 'assistant', content: t.draft }) : t.messages,
        draft: [],
        request: null,
        contextTokens: t.request?.purpose === 'compaction' ? 0 : totalTokens(u),
        stop: stopAfter(data.df_stop_reason),
        refusal: data.df_refusal ?? null,
      };
      return t.request === null ? ended : withResults(ended);
    });
  },
  'agent.thread_context_compacted': (state, { actor, data }) =>
    withThread(state, actor, (t) => ({
      ...t,
      messages: List.of(),
      pending: [
        { type: 'text', text: `<task>\n${t.task}\n</task>\n<summary_of_earlier_work>\n${data.df_summary}\n</summary_of_earlier_work>` },
      ],
    })),
  'agent.tool_result': (state, { data }) =>
    closeCall(state, data.tool_use_id, { content: textOf(data.content), isError: data.is_error ?? false }),
  'tool.started': (state, { data }) =>
    withCall(state, data.tool_use_id, (call) => (call.status === 'confirmed' ? { ...call, status: 'running' } : call)),
  'approval.stale': (state, { data }) =>
    withCall(state, data.tool_use_id, (call) => ({ ...call, status: 'asked', callHash: data.call_hash, confirmationId: null })),
  'agent.thread_message_sent': (state, { data }) =>
    withThread(state, data.to_session_thread_id, (t) => ({
      ...addUserText(t, textOf(data.content)),
      task: t.task || textOf(data.content),
    })),
  'agent.thread_message_received': (state, { data }) =>
    closeCall(state, data.df_tool_use_id, { content: textOf(data.content), isError: data.df_is_error ?? false }),
  'cap.reached': (state, { data }) =>
    data.tool_use_id === undefined && state.capReached === null
      ? { ...state, capReached: { cap: data.cap, limit: data.limit, value: data.value } }
      : state,
  'memory.given': (state, { actor, data }) => withThread(state, actor, (t) => ({ ...t, given: data.insights })),
  'feedback.recorded': (state, { data }) => ({
    ...state,
    feedback: [...state.feedback, { judges: data.judges, verdict: data.verdict, by: data.by }],
  }),
};

/** Nobody has begun with what was asked, and nobody may ever: so the interrupt itself is the end of it. */
function withdrawn(state: SessionState): SessionState {
  const { outcome, stopReason } = state;
  return {
    ...state,
    queue: [],
    interrupted: true,
    stopReason: stopReason ?? { type: 'end_turn' },
    outcome:
      outcome === null || outcome.status === 'done'
        ? outcome
        : { ...outcome, status: 'done', result: 'interrupted', explanation: INTERRUPTED },
  };
}

/** An imported session has no model requests to tell its turns apart: a turn begins when there is something to answer. */
function nextImportedTurn(t: Thread): Thread {
  if (t.pending.length === 0) return t;
  const messages = t.draft.length > 0 ? t.messages.push({ role: 'assistant', content: t.draft }) : t.messages;
  return { ...t, messages: messages.push({ role: 'user', content: t.pending }), pending: [], draft: [], calls: [] };
}

function stopAfter(reason: EventData['span.model_request_end']['df_stop_reason']): Thread['stop'] {
  switch (reason) {
    case 'refusal':
      return 'refusal';
    case 'max_tokens':
    case 'error':
      return 'retries_exhausted';
    case 'budget':
      return 'budget_reached';
    case 'interrupted':
    case undefined:
      return null;
  }
}

/** Tells a call that was made before from a new one. */
export function callKey(name: string, input: unknown): string {
  return `${name} ${JSON.stringify(input)}`;
}

const HANDLERS: Handlers = { ...CORE_HANDLERS, ...MODEL_HANDLERS, ...OUTCOME_HANDLERS };

/**
 * The session after one more event. Total: an event that makes no sense here is counted and otherwise ignored, the
 * same way everywhere; one that is newer than this code suspends the session.
 */
export function evolveSession(state: SessionState, event: LogEvent): SessionState {
  const known = knownEvent(event);
  const next = { ...state, seq: event.seq, now: event.time > state.now ? event.time : state.now };
  if (known === null) return { ...next, suspended: state.suspended ?? { seq: event.seq, type: event.type, v: event.v } };
  if (known.data === null) return next;
  const handler = HANDLERS[known.type] as Handler<EventType> | undefined;
  if (handler === undefined) return next;
  try {
    return handler(next, known);
  } catch (error) {
    // Only a payload that does not fit its schema may fail here; anything else is a fault of this code.
    if (isEventType(known.type) && !CATALOGUE[known.type].safeParse(known.data).success) return next;
    throw error;
  }
}
