import { foldKnown, knownEvent, textOf, type EventData, type LogEvent } from '@dreamfold/events';
import { OUTCOME_HANDLERS } from './evolve-outcome.ts';
import { wallTimeMs } from '../caps.ts';
import { closeCall, subtree, withCall, withResults, withThread, withUsage, type Handlers } from './handlers.ts';
import { List } from './list.ts';
import { addDraft, addPending, callResult, requestBlocks } from './request-blocks.ts';
import {
  newerEvents,
  callOf,
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
          principalAuthenticated: data.principal_authenticated === true,
          team: data.team,
          caps: data.caps,
          memory: data.memory,
          imported: data.imported ?? null,
          createdAt: time,
          threads: [newThread({ id: leadThreadId(state.id), agent: data.team.lead, parent: null, delegation: null, depth: 0, task: '' })],
        },
  'session.claimed': (state, { data, time }, before) => ({
    ...state,
    epoch: state.epoch + 1,
    nonce: state.nonce === '' ? data.nonce : state.nonce,
    claimedAt: time,
    claimedByWorker: data.worker === true,
    claimedUntaken: data.untaken === true,
    claimedBy: data.node ?? null,
    // From its last event to the claim nobody may have run it: a process that died takes none of the session's time with it.
    ...(state.runningSince === null ? {} : { activeMs: wallTimeMs(before, before.now), runningSince: time }),
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
    activeMs: wallTimeMs(state, time),
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
  'message.taken_up': (state, { seq, data }) => {
    const taken = state.queue.filter((m) => data.message_ids.includes(m.id));
    const lead = state.threads[0];
    if (lead === undefined || taken.length === 0) return state;
    const { outcome } = state;
    const next: SessionState = {
      ...state,
      interrupted: false,
      queue: state.queue.filter((m) => !taken.includes(m)),
      takenUpSeq: seq,
      outcome: outcome === null || outcome.status === 'done' ? outcome : { ...outcome, attemptsBefore: outcome.attempts.length },
    };
    return withThread(next, lead.id, (t) => ({
      ...addPending(
        t,
        taken.flatMap((m) => requestBlocks(m.content)),
      ),
      task: t.task === '' ? taken.map((m) => textOf(m.content)).join('\n') : t.task,
    }));
  },
  'user.interrupt': (state, { seq, data }) => {
    const [lead] = state.threads;
    if (lead === undefined) return state;
    const ids = subtree(state.threads, data.session_thread_id ?? lead.id);
    if (ids.has(lead.id) && waitsForTurn(state)) return withdrawn(state, seq);
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
        ? { ...call, status: 'confirmed', confirmationId: id, edit: data.df_input === undefined ? null : { input: data.df_input } }
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
    withThread(data.model_usage === undefined ? state : withUsage(state, data.model_usage, data.cost_usd), actor, (t) =>
      t.request?.startId === data.model_request_start_id
        ? { ...t, request: { ...t.request, attempt: data.attempt + 1, delayMs: data.retry_after_ms ?? 0 } }
        : t,
    ),
  'agent.message': (state, { id, seq, actor, data }) =>
    withThread(state, actor, (thread) => {
      const t = addDraft(state.imported === null ? thread : nextImportedTurn(thread), requestBlocks(data.content));
      if (!data.content.some(({ type }) => type === 'text')) return t;
      return { ...t, lastMessage: { eventId: id, seq, text: textOf(data.content) } };
    }),
  'agent.thinking': (state, { actor, data }) =>
    withThread(state, actor, (thread) => addDraft(state.imported === null ? thread : nextImportedTurn(thread), data.df_content)),
  'agent.tool_use': (state, { id, seq, actor, data }) =>
    withThread({ ...state, usage: { ...state.usage, toolCalls: state.usage.toolCalls + 1 } }, actor, (thread) => {
      const t = state.imported === null ? thread : nextImportedTurn(thread);
      const call: Call = {
        id,
        seq,
        name: data.name,
        ...parsedInput(data.input, data.df_parsed_input),
        edit: null,
        before: null,
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
        recentCalls: recentWith(t, callKey(data.name, data.input)),
        calls: [...t.calls, call],
      };
    }),
  'span.model_request_end': (state, { actor, data }) => {
    return withThread(withUsage(state, data.model_usage, data.df_cost_usd), actor, (t) => {
      const ended: Thread = {
        ...t,
        messages: t.draft.length > 0 ? t.messages.push({ role: 'assistant', content: t.draft }) : t.messages,
        draft: [],
        request: null,
        contextTokens: t.request?.purpose === 'compaction' ? 0 : totalTokens(data.model_usage),
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
      holds: [],
      pending: [
        { type: 'text', text: `<task>\n${t.task}\n</task>\n<summary_of_earlier_work>\n${data.df_summary}\n</summary_of_earlier_work>` },
      ],
    })),
  'agent.tool_result': (state, { data }) => closeCall(state, data.tool_use_id, callResult(data.content, data.is_error)),
  'tool.started': (state, { data }) => {
    const { thread, call } = callOf(state, data.tool_use_id) ?? {};
    if (thread === undefined || call?.status !== 'confirmed') return state;
    if (call.edit === null) return withCall(state, call.id, (c) => ({ ...c, status: 'running' }));
    const { input } = call.edit;
    const started: Call = { ...call, status: 'running', input, isParsed: false, edit: null, before: { input: call.input } };
    return withThread(state, thread.id, (t) => ({
      ...t,
      recentCalls: recentWith(t, callKey(call.name, input)),
      calls: t.calls.map((c) => (c === call ? started : c)),
    }));
  },
  'approval.stale': (state, { data }) =>
    withCall(state, data.tool_use_id, (call) => ({
      ...call,
      ...parsedInput(call.given, data.parsed_input),
      status: 'asked',
      callHash: data.call_hash,
      confirmationId: null,
      edit: null,
    })),
  'agent.thread_message_sent': (state, { data }) =>
    withThread(state, data.to_session_thread_id, (t) => ({
      ...addPending(t, requestBlocks(data.content)),
      task: t.task || textOf(data.content),
    })),
  'agent.thread_message_received': (state, { data }) => closeCall(state, data.df_tool_use_id, callResult(data.content, data.df_is_error)),
  'cap.reached': (state, { data }) =>
    data.tool_use_id === undefined && state.capReached === null
      ? { ...state, capReached: { cap: data.cap, limit: data.limit, value: data.value } }
      : state,
  'memory.given': (state, { actor, data }) => withThread(state, actor, (t) => ({ ...t, given: data.insights })),
  'session.event_skipped': (state, { data }) => {
    const [suspended = null, ...alsoNewer] = newerEvents(state).filter(({ id }) => id !== data.event);
    return { ...state, suspended, alsoNewer };
  },
  'feedback.recorded': (state, { data }) => ({
    ...state,
    feedback: [...state.feedback, { judges: data.judges, verdict: data.verdict, by: data.by }],
  }),
};

/** Nobody has begun with what was asked, and nobody may ever: so the interrupt itself is the end of it. */
function withdrawn(state: SessionState, seq: number): SessionState {
  const { outcome, stopReason } = state;
  return {
    ...state,
    queue: [],
    interrupted: true,
    stopReason: stopReason ?? { type: 'end_turn' },
    outcome:
      outcome === null || outcome.status === 'done'
        ? outcome
        : { ...outcome, status: 'done', result: 'interrupted', explanation: INTERRUPTED, endSeq: seq },
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

function parsedInput(given: unknown, parsed: unknown): Pick<Call, 'given' | 'input' | 'isParsed'> {
  return { given, input: parsed ?? given, isParsed: parsed !== undefined };
}

function recentWith({ recentCalls }: Thread, key: string): string[] {
  return [...recentCalls.slice(1 - RECENT_CALLS), key];
}

/** Tells a call that was made before from a new one. */
export function callKey(name: string, input: unknown): string {
  return `${name} ${JSON.stringify(input)}`;
}

const fold = foldKnown<SessionState, SessionState>({ ...CORE_HANDLERS, ...MODEL_HANDLERS, ...OUTCOME_HANDLERS });

/**
 * The session after one more event. Total: an event that makes no sense here is counted and otherwise ignored, the
 * same way everywhere; one that is newer than this code suspends the session.
 */
export function evolveSession(state: SessionState, event: LogEvent): SessionState {
  const known = knownEvent(event);
  const next = { ...state, seq: event.seq, now: event.time > state.now ? event.time : state.now };
  if (known !== null) return fold(next, known, state);
  const { id, seq, type, v } = event;
  const newer = { id, seq, type, v };
  return state.suspended === null ? { ...next, suspended: newer } : { ...next, alsoNewer: [...state.alsoNewer, newer] };
}
