import { MAX_EVENT_BYTES, type AgentSnapshot, type NewEvent, newEvent } from '@dreamfold/events';
import { utf8Bytes } from '../../memory/document/canonical-json.ts';
import { callKey } from '../fold/evolve.ts';
import { errorResult } from '../error-result.ts';
import { agentOf, type Call, type SessionState, type Thread } from '../fold/state.ts';

/** What a tool's schema makes of an input. */
export type CheckedInput =
  | {
      fits: true;
      /** What the tool is given. Left out when that is the input itself, or when JSON cannot hold it. */
      parsed?: unknown;
    }
  | { fits: false; message: string };

/** What an approval needs from outside; both are functions of what they are given. */
export interface ApprovalContext {
  /** sha-256 as base64url. */
  sha256(text: string): string;
  /** Applies the schema of an agent's tool. An input for a tool that the program does not have fits. */
  checkInput(agent: string, tool: string, input: unknown): CheckedInput;
}

export interface Refusal {
  code: string;
  message: string;
}

/** What an input and what its schema makes of it take together at most: they stand in one event. */
const MAX_ASKED_BYTES = MAX_EVENT_BYTES - 16 * 1024;

/** What an approval is bound to: the tool as it is defined now, and the exact input that it runs with. */
export function callHash(agent: AgentSnapshot | undefined, call: Pick<Call, 'name' | 'input'>, context: ApprovalContext): string {
  const tool = agent?.tools.find((t) => t.name === call.name);
  return context.sha256(JSON.stringify([call.name, call.input, tool?.policy, tool?.effect, tool?.input_schema]));
}

/** A person is only asked about a call that can run. @returns what the schema makes of its input, or why nobody is asked */
export function checkAsked(
  agent: string,
  { name, input }: { name: string; input: unknown },
  context: ApprovalContext,
): { parsed?: unknown } | Refusal {
  const checked = context.checkInput(agent, name, input);
  if (!checked.fits) return { code: 'invalid_tool_input', message: checked.message };
  if (checked.parsed === undefined) return {};
  const bytes = utf8Bytes(JSON.stringify(input)) + utf8Bytes(JSON.stringify(checked.parsed));
  if (bytes <= MAX_ASKED_BYTES) return { parsed: checked.parsed };
  return {
    code: 'invalid_tool_input',
    message: `The input of ${name} is too long for a person to be asked about it; ask for less at once.`,
  };
}

/** An approved call starts, unless a person put an input in its place that can't run: then it is asked for again. */
export function startConfirmed(state: SessionState, { thread, call }: { thread: Thread; call: Call }, context: ApprovalContext): NewEvent {
  const { edit } = call;
  if (edit !== null) {
    const check = (input: unknown): CheckedInput => context.checkInput(thread.agent, call.name, input);
    const refusal = refuseEdit(state, { thread, call, input: edit.input }, check);
    if (refusal !== null)
      return afterChange(state, { thread, call, reason: `The changed input was not taken. ${refusal.message}` }, context);
  }
  return newEvent('tool.started', thread.id, {
    tool_use_id: call.id,
    confirmation_id: call.confirmationId ?? '',
    call_hash:
      edit === null ? (call.callHash ?? '') : callHash(agentOf(state, thread.agent), { name: call.name, input: edit.input }, context),
  });
}

/**
 * Why what a person put in the place of a call's input can't run, or null. It must be what the tool gets: an input that the schema would
 * make another one of was seen by nobody.
 */
export function refuseEdit(
  state: SessionState,
  { thread, call, input }: { thread: Thread; call: Call; input: unknown },
  check: (input: unknown) => CheckedInput,
): Refusal | null {
  const limit = state.caps.identical_calls;
  const key = callKey(call.name, input);
  const repeats = thread.recentCalls.filter((k) => k === key).length;
  if (repeats >= limit) return { code: 'budget_exceeded', message: `This exact call was made ${repeats} times before.` };
  const checked = check(input);
  if (!checked.fits) return { code: 'invalid_tool_input', message: checked.message };
  if (checked.parsed === undefined) return null;
  return {
    code: 'invalid_tool_input',
    message: `${call.name} would run with something else: its schema makes ${cut(JSON.stringify(checked.parsed))} of that.`,
  };
}

const MAX_SHOWN_CHARS = 2000;

function cut(text: string): string {
  return text.length <= MAX_SHOWN_CHARS ? text : `${text.slice(0, MAX_SHOWN_CHARS).toWellFormed()}… (${text.length} characters)`;
}

/** What becomes of a call whose tool is another one now, or whose approval can't be used: it is asked for again, if it can still run. */
export function afterChange(
  state: SessionState,
  { thread, call, reason = CHANGED }: { thread: Thread; call: Call; reason?: string },
  context: ApprovalContext,
): NewEvent {
  const { name, given } = call;
  const agent = agentOf(state, thread.agent);
  const tool = agent?.tools.find((t) => t.name === name);
  if (tool === undefined)
    return errorResult(thread.id, call.id, { code: 'unknown_tool', message: `${name} is not among your tools any more.` });
  if (tool.policy === 'deny')
    return errorResult(thread.id, call.id, { code: 'denied', message: `The policy of ${name} is deny: it is never run.` });
  const asked = checkAsked(thread.agent, { name, input: given }, context);
  if ('code' in asked) return errorResult(thread.id, call.id, asked);
  return newEvent('approval.stale', thread.id, {
    tool_use_id: call.id,
    call_hash: callHash(agent, { name, input: asked.parsed ?? given }, context),
    reason,
    ...(asked.parsed === undefined ? {} : { parsed_input: asked.parsed }),
  });
}

const CHANGED = 'The tool or its policy changed while the call waited for approval.';
