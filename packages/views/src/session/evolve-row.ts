import { leadThreadId, subtree, waitsForTurn } from '@dreamfold/core';
import { foldKnown, knownEvent, textOf, type KnownEvent, type LogEvent, type FoldHandlers } from '@dreamfold/events';
import type { RowCall, RowOutcome, RowThread, SessionRowState } from './row-state.ts';

type State = SessionRowState;

function newThread(of: Pick<RowThread, 'id' | 'agent' | 'parent'>): RowThread {
  return { ...of, running: false, interrupted: false, requesting: false, stopped: false, calls: [] };
}

function withThread(state: State, id: string, change: (thread: RowThread) => RowThread): State {
  return { ...state, threads: state.threads.map((thread) => (thread.id === id ? change(thread) : thread)) };
}

function withCall(state: State, id: string, change: (call: RowCall) => RowCall): State {
  const thread = state.threads.find(({ calls }) => calls.some((call) => call.id === id));
  if (thread === undefined) return state;
  return withThread(state, thread.id, (t) => ({ ...t, calls: t.calls.map((call) => (call.id === id ? change(call) : call)) }));
}

function closeCall(state: State, id: string): State {
  const thread = state.threads.find(({ calls }) => calls.some((call) => call.id === id));
  return thread === undefined ? state : withThread(state, thread.id, (t) => ({ ...t, calls: t.calls.filter((call) => call.id !== id) }));
}

function withOutcome(state: State, id: string, change: (outcome: RowOutcome) => RowOutcome): State {
  return state.outcome?.id === id ? { ...state, outcome: change(state.outcome) } : state;
}

/** Of a message that waits, the text is only needed while the lead has no task. */
function queued(state: State, message: { id: string; text: string }): State {
  return { ...state, queue: [...state.queue, state.task === '' ? message : { id: message.id, text: '' }] };
}

const SESSION: FoldHandlers<State> = {
  'session.created': (state, { data, time }) =>
    state.exists
      ? state
      : {
          ...state,
          exists: true,
          title: data.title ?? null,
          principal: data.principal,
          authenticated: data.principal_authenticated === true,
          agent: data.team.lead,
          imported: data.imported !== undefined,
          createdAt: time,
          threads: [newThread({ id: leadThreadId(state.id), agent: data.team.lead, parent: null })],
        },
  'session.claimed': (state, { time }) => ({ ...state, claimedAt: time }),
  'session.team_updated': (state, { data }) => ({
    ...state,
    agent: data.team.lead,
    threads: state.threads.map((thread) => ({
      ...thread,
      calls: thread.calls.map((call) => {
        const changed = data.changed_tools.some(({ agent, tool }) => agent === thread.agent && tool === call.name);
        return changed && (call.status === 'asked' || call.status === 'confirmed') ? { ...call, status: 'stale' } : call;
      }),
    })),
  }),
  'session.status_running': (state) => ({
    ...state,
    status: 'running',
    stopReason: null,
    threads: state.threads.map((thread, i) => (i === 0 ? { ...thread, running: true } : thread)),
  }),
  'session.status_idle': (state, { data }) => ({ ...state, status: 'idle', stopReason: data.stop_reason.type }),
  'session.event_skipped': (state, { data }) => ({ ...state, newer: state.newer.filter((id) => id !== data.event) }),
  'cap.reached': (state, { data }) => (data.tool_use_id === undefined ? { ...state, capReached: true } : state),
};

const THREADS: FoldHandlers<State> = {
  'session.thread_created': (state, { data: { session_thread_id: id, df_parent_thread_id: parent, agent_name: agent } }) =>
    state.threads.some((thread) => thread.id === id) || !state.threads.some((thread) => thread.id === parent)
      ? state
      : { ...state, threads: [...state.threads, newThread({ id, agent, parent })] },
  'session.thread_status_running': (state, { data }) =>
    withThread(state, data.session_thread_id, (thread) => ({ ...thread, running: true, stopped: false })),
  'session.thread_status_idle': (state, { data }) =>
    withThread(state, data.session_thread_id, (thread) => ({
      ...thread,
      running: data.stop_reason.type === 'requires_action',
      interrupted: false,
      stopped: true,
      requesting: false,
    })),
  'span.model_request_start': (state, { actor }) => withThread(state, actor, (thread) => ({ ...thread, requesting: true, calls: [] })),
  'span.model_request_end': (state, { actor, data: { df_stop_reason: reason } }) =>
    withThread(state, actor, (thread) => ({ ...thread, requesting: false, stopped: reason !== undefined && reason !== 'interrupted' })),
  'agent.tool_use': (state, { id, actor, data }) =>
    // A record is never gone on with, whatever is open in it.
    state.imported
      ? state
      : withThread(state, actor, (thread) => ({
          ...thread,
          calls: [...thread.calls, { id, name: data.name, status: data.evaluated_permission === 'ask' ? 'asked' : 'running' }],
        })),
  'agent.tool_result': (state, { data }) => closeCall(state, data.tool_use_id),
  'agent.thread_message_received': (state, { data }) => closeCall(state, data.df_tool_use_id),
  'agent.thread_message_sent': (state, { data }) =>
    data.to_session_thread_id === state.threads[0]?.id ? { ...state, task: state.task || textOf(data.content) } : state,
  'tool.started': (state, { data }) =>
    withCall(state, data.tool_use_id, (call) => (call.status === 'confirmed' ? { ...call, status: 'running' } : call)),
  'approval.stale': (state, { data }) => withCall(state, data.tool_use_id, (call) => ({ ...call, status: 'asked' })),
};

const USER: FoldHandlers<State> = {
  'user.message': (state, { id, data }) => queued(state, { id, text: textOf(data.content) }),
  'message.taken_up': (state, { seq, data }) => {
    const taken = state.queue.filter(({ id }) => data.message_ids.includes(id));
    if (state.threads.length === 0 || taken.length === 0) return state;
    const { outcome } = state;
    return {
      ...state,
      interrupted: false,
      queue: state.queue.filter((message) => !taken.includes(message)),
      takenUpSeq: seq,
      task: state.task || taken.map(({ text }) => text).join('\n'),
      outcome: outcome === null || outcome.status === 'done' ? outcome : { ...outcome, scoresBefore: outcome.scores.length },
    };
  },
  'user.interrupt': interrupted,
  'user.tool_confirmation': (state, { data }) =>
    withCall(state, data.tool_use_id, (call) =>
      call.status === 'asked' ? { ...call, status: data.result === 'allow' ? 'confirmed' : 'denied' } : call,
    ),
};

function interrupted(state: State, { seq, data }: KnownEvent<'user.interrupt'>): State {
  const [lead] = state.threads;
  if (lead === undefined) return state;
  const reached = subtree(state.threads, data.session_thread_id ?? lead.id);
  if (reached.has(lead.id) && waitsForTurn(state)) return withdrawn(state, seq);
  return {
    ...state,
    interrupted: state.interrupted || (reached.has(lead.id) && lead.running),
    threads: state.threads.map((thread) => (reached.has(thread.id) && thread.running ? { ...thread, interrupted: true } : thread)),
  };
}

/** Nobody has begun with what was asked, so the interrupt itself is the end of it. */
function withdrawn(state: State, seq: number): State {
  const { outcome } = state;
  return {
    ...state,
    queue: [],
    interrupted: true,
    stopReason: state.stopReason ?? 'end_turn',
    outcome: outcome === null || outcome.status === 'done' ? outcome : { ...outcome, status: 'done', result: 'interrupted', endSeq: seq },
  };
}

const OUTCOME: FoldHandlers<State> = {
  'user.define_outcome': (state, { id, data }) => {
    if (state.outcome !== null && state.outcome.status !== 'done') return state;
    const outcome: RowOutcome = {
      id: data.outcome_id,
      description: data.description,
      status: 'working',
      evaluationId: null,
      asked: data.df_criteria.filter(({ grader }) => grader.kind === 'person').map((criterion) => criterion.id),
      judged: [],
      scores: [],
      scoresBefore: 0,
      result: null,
      endSeq: null,
    };
    return { ...queued(state, { id, text: `${data.description}\n\n<rubric>\n${data.rubric.content}\n</rubric>` }), outcome };
  },
  'span.outcome_evaluation_start': (state, { id, data }) =>
    withOutcome(state, data.outcome_id, (outcome) => ({ ...outcome, status: 'evaluating', evaluationId: id, judged: [] })),
  'outcome.judged': (state, { data }) =>
    state.outcome?.evaluationId !== data.outcome_evaluation_start_id || state.outcome.status !== 'evaluating'
      ? state
      : { ...state, outcome: { ...state.outcome, judged: [...state.outcome.judged, data.criterion_id] } },
  'outcome.scored': (state, { data }) =>
    withOutcome(state, data.outcome_id, (outcome) => ({ ...outcome, scores: [...outcome.scores, data.score] })),
  'span.outcome_evaluation_end': (state, { seq, data }) =>
    withOutcome(state, data.outcome_id, (outcome) => {
      if (outcome.status === 'done') return outcome;
      const ended = { ...outcome, evaluationId: null };
      return data.result === 'needs_revision'
        ? { ...ended, status: 'working', result: null, endSeq: null }
        : { ...ended, status: 'done', result: data.result, endSeq: seq };
    }),
  'outcome.imported': (state, { data }) => ({ ...state, importedScore: data.score }),
};

const fold = foldKnown<State>({ ...SESSION, ...THREADS, ...USER, ...OUTCOME });

/** The row's state after one more event of the session, as small as before it: what it shows is what the whole fold of core shows. */
export function evolveSessionRow(state: SessionRowState, event: LogEvent): SessionRowState {
  const next = { ...state, seq: event.seq, now: event.time > state.now ? event.time : state.now };
  const known = knownEvent(event);
  return known === null ? { ...next, newer: [...state.newer, event.id] } : fold(next, known);
}
