import { DELEGATE_TOOL, type Sha256 } from '@dreamfold/core';
import { foldWith, textOf, type KnownEvent, type TeamSnapshot } from '@dreamfold/events';

/** What a tool did, or was to do, in the outside world. */
export interface Effect {
  /** Id of the call's event. */
  call: string;
  seq: number;
  thread: string;
  agent: string;
  tool: string;
  /** What running it twice does; null for a tool that the team does not have. */
  effect: 'pure' | 'keyed' | 'unsafe' | null;
  /** What it ran with, or is to run with. */
  input: unknown;
  /**
   * asked: waits for a person; started: its intent is on the log and its result is not, so it may have run; done; failed: it says so
   * itself, or was kept from running; unknown: nobody knows whether it ran.
   */
  status: 'asked' | 'started' | 'done' | 'failed' | 'unknown';
  /** Why it failed, as a stable code. */
  code: string | null;
  /** What it gave back, as the model read it. */
  result: string | null;
}

/** The effects of a session, in the order of their calls, and what is needed to go on with them. Plain JSON. */
export interface EffectsState {
  session: string;
  team: TeamSnapshot;
  threads: Readonly<Record<string, string>>;
  effects: readonly Effect[];
  /** What people put in the place of inputs, by call, until the calls start with it. */
  edits: Readonly<Record<string, unknown>>;
}

/** The state before the first event. @param session its id */
export function initialEffects(session: string): EffectsState {
  return { session, team: { lead: '', agents: [] }, threads: {}, effects: [], edits: {} };
}

function withEffect(state: EffectsState, call: string, change: (effect: Effect) => Effect): EffectsState {
  return { ...state, effects: state.effects.map((effect) => (effect.call === call ? change(effect) : effect)) };
}

function without(edits: EffectsState['edits'], call: string): EffectsState['edits'] {
  const { [call]: _, ...others } = edits;
  return others;
}

/** What the tools of a session did, after one more of its events. */
export const evolveEffects = foldWith<EffectsState>({
  'session.created': (state, { data }) => ({ ...state, team: data.team }),
  'session.team_updated': (state, { data }) => ({ ...state, team: data.team }),
  'session.thread_created': (state, { data }) => ({ ...state, threads: { ...state.threads, [data.session_thread_id]: data.agent_name } }),
  'agent.tool_use': called,
  'approval.stale': ({ edits, ...state }, { data }) =>
    withEffect({ ...state, edits: without(edits, data.tool_use_id) }, data.tool_use_id, (effect) => ({
      ...effect,
      status: 'asked',
      input: data.parsed_input ?? effect.input,
    })),
  'user.tool_confirmation': (state, { data }) =>
    data.result === 'allow' && data.df_input !== undefined
      ? { ...state, edits: { ...state.edits, [data.tool_use_id]: data.df_input } }
      : state,
  'tool.started': (state, { data }) =>
    withEffect(state, data.tool_use_id, (effect) => ({
      ...effect,
      status: 'started',
      // An edit may be null, where the tool takes that.
      input: Object.hasOwn(state.edits, effect.call) ? state.edits[effect.call] : effect.input,
    })),
  'agent.tool_result': (state, { data }) =>
    withEffect(state, data.tool_use_id, (effect) => ({
      ...effect,
      status: data.df_code === 'tool_outcome_unknown' ? 'unknown' : data.is_error === true ? 'failed' : 'done',
      code: data.df_code ?? null,
      result: textOf(data.content),
    })),
});

function called(state: EffectsState, { id, seq, actor, data }: KnownEvent<'agent.tool_use'>): EffectsState {
  // A delegation acts through the calls of its own thread.
  if (data.name === DELEGATE_TOOL) return state;
  const agent = state.threads[actor] ?? state.team.lead;
  const tool = state.team.agents.find(({ name }) => name === agent)?.tools.find(({ name }) => name === data.name);
  const effect: Effect = {
    ...{ call: id, seq, thread: actor, agent, tool: data.name, effect: tool?.effect ?? null, input: data.df_parsed_input ?? data.input },
    ...{ status: data.evaluated_permission === 'ask' ? 'asked' : 'started', code: null, result: null },
  };
  return { ...state, effects: [...state.effects, effect] };
}

/** What a tool is given to recognise the same call by. @param sha256 as base64url */
export function idempotencyKeyOf(session: string, { thread, call, tool, input }: Omit<Effect, 'status'>, sha256: Sha256): string {
  return sha256(JSON.stringify([session, thread, call, tool, input]));
}
