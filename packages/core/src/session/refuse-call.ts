import type { AgentSnapshot, Caps, NewEvent, ToolSnapshot } from '@dreamfold/events';
import { checkAsked, type ApprovalContext, type Refusal } from './commands/approval.ts';
import type { ReachedCap } from './caps.ts';
import { callKey } from './fold/evolve.ts';
import { DELEGATE_TOOL } from './prompt.ts';
import { agentOf, type SessionState, type Thread } from './fold/state.ts';

/** A call of an answer that is being recorded. */
export interface NewCall {
  state: SessionState;
  thread: Thread;
  /** What is recorded of the answer so far. */
  events: readonly NewEvent[];
  name: string;
  input: unknown;
}

/** Why a call is not run, with the cap that stops it if one does. */
export type CallRefusal = Refusal & { cap?: ReachedCap };

/** What becomes of a new call: it is refused, asked for, or run. */
export type Judged = { refusal: CallRefusal } | { ask: { parsed?: unknown } } | { run: true };

/** What becomes of a call that a model makes: caps come first, then whether there is such a tool, then its policy, then its schema. */
export function judgeCall(call: NewCall, context: ApprovalContext): Judged {
  const refusal = refuseCall(call);
  if (refusal !== null) return { refusal };
  const { state, thread, name } = call;
  if (toolOf(agentOf(state, thread.agent), name)?.policy !== 'always_ask') return { run: true };
  const ask = checkAsked(thread.agent, call, context);
  return 'code' in ask ? { refusal: ask } : { ask };
}

function refuseCall(call: NewCall): CallRefusal | null {
  const { state, thread, events, name, input } = call;
  const { caps } = state;
  const written = events.filter((e) => e.type === 'agent.tool_use');
  const toolCalls = state.usage.toolCalls + written.length;
  if (toolCalls >= caps.tool_calls) return capRefusal('tool_calls', caps.tool_calls, toolCalls);
  const key = callKey(name, input);
  const sameKey = ({ data }: NewEvent): boolean => callKey((data as NewCall).name, (data as NewCall).input) === key;
  const repeats = thread.recentCalls.filter((k) => k === key).length + written.filter(sameKey).length;
  if (repeats >= caps.identical_calls) return capRefusal('identical_calls', caps.identical_calls, repeats);
  const agent = agentOf(state, thread.agent);
  if (name === DELEGATE_TOOL && agent !== undefined && agent.roster.length > 0) return refuseDelegation(call, agent.roster);
  const tool = toolOf(agent, name);
  if (tool === undefined) return unknownTool(name, agent?.tools ?? []);
  if (tool.policy === 'deny') return { code: 'denied', message: `The policy of ${name} is deny: it is never run.` };
  return null;
}

function toolOf(agent: AgentSnapshot | undefined, name: string): ToolSnapshot | undefined {
  return agent?.tools.find((tool) => tool.name === name);
}

function capRefusal(cap: keyof Caps, limit: number, value: number): CallRefusal {
  const message =
    cap === 'identical_calls'
      ? `This exact call was made ${value} times before; try something else.`
      : `Not run: the session's cap is ${cap} = ${limit}.`;
  return { code: 'budget_exceeded', message, cap: { cap, limit, value } };
}

function unknownTool(name: string, tools: readonly ToolSnapshot[]): CallRefusal {
  const known = tools.map((t) => t.name).join(', ');
  return {
    code: 'unknown_tool',
    message: `There is no tool ${JSON.stringify(name)}. ${known === '' ? 'You have no tools.' : `Your tools: ${known}.`}`,
  };
}

function refuseDelegation({ state, thread, events, input }: NewCall, roster: readonly string[]): CallRefusal | null {
  const { agent, message } = (input ?? {}) as { agent?: unknown; message?: unknown };
  if (typeof agent !== 'string' || !roster.includes(agent)) {
    return {
      code: 'unknown_agent',
      message: `There is no agent ${JSON.stringify(agent)} to delegate to. Your roster: ${roster.join(', ')}.`,
    };
  }
  if (typeof message !== 'string' || message === '')
    return { code: 'invalid_tool_input', message: 'delegate needs a message: the whole task, in words.' };
  const { caps } = state;
  const depth = thread.depth + 1;
  if (depth > caps.depth) return capRefusal('depth', caps.depth, depth);
  const live = state.threads.filter((t) => t.running).length + events.filter((e) => e.type === 'session.thread_created').length;
  if (live >= caps.threads) return capRefusal('threads', caps.threads, live);
  return null;
}
