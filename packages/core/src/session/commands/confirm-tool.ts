import { DreamfoldError, MAX_LABELLER_CHARS, checkName, newEvent, type JsonSchema, type NewEvent } from '@dreamfold/events';
import { z } from 'zod';
import { equalJson } from '../../memory/document/canonical-json.ts';
import { refuseEdit, type CheckedInput } from './approval.ts';
import { mustRun } from './commands.ts';
import { isPlainJson } from '../plain-json.ts';
import { agentOf, callOf, type Call, type SessionState, type Thread } from '../fold/state.ts';
import { unknownField } from './unknown-field.ts';

export interface Confirmation {
  toolUseId: string;
  result: 'allow' | 'deny';
  /** Told to the model when denied. */
  message?: string;
  /** With `allow`: what the call is to run with, in the place of the input that was asked for; the whole of it. The model is told. */
  input?: unknown;
  /** The call that the person saw; a call that changed since is not approved. */
  callHash?: string;
  /** Who says so: a name, or `person:` and a name. */
  by: string;
}

/** Applies the schema of the call's tool to an input: that of the team's code where the program has it. */
export type CheckInput = (agent: string, tool: string, input: unknown) => CheckedInput;

/**
 * A person's word on a call that waits for it.
 * @param check left out where the team's code is not at hand: the JSON Schema on the log is applied then, and the process that runs the
 * session applies the code's
 * @throws DreamfoldError approval_not_found, approval_already_used, approval_stale, invalid_argument; of an input: invalid_tool_input,
 * budget_exceeded
 */
export function confirmTool(state: SessionState, confirmation: Confirmation, check?: CheckInput): NewEvent[] {
  mustRun(state);
  const { toolUseId, result, message, by } = confirmation;
  const found = waitingCall(state, confirmation);
  const input = changedInput(state, found, { ...confirmation, check: check ?? schemaOf(state) });
  const data = {
    result,
    tool_use_id: toolUseId,
    ...(message === undefined ? {} : { deny_message: message }),
    session_thread_id: found.thread.id,
    ...(input === undefined ? {} : { df_input: input }),
  };
  return [newEvent('user.tool_confirmation', actorOf(by), data)];
}

interface Found {
  thread: Thread;
  call: Call;
}

function waitingCall(state: SessionState, { toolUseId, callHash }: Confirmation): Found {
  const found = callOf(state, toolUseId);
  if (found === undefined || found.call.callHash === null) {
    throw new DreamfoldError('approval_not_found', `${state.id} has no call ${toolUseId} that waits for approval`, {
      path: 'call',
      value: toolUseId,
      remedy: 'See what waits with `dreamfold show`.',
    });
  }
  if (found.call.status === 'stale' || (callHash !== undefined && callHash !== found.call.callHash)) {
    throw new DreamfoldError('approval_stale', `The call ${toolUseId} is not the one that was shown: the tool or its policy changed`, {
      path: 'call',
      value: toolUseId,
      remedy: 'Look at the call again, then decide.',
    });
  }
  if (found.call.status !== 'asked') {
    throw new DreamfoldError('approval_already_used', `The call ${toolUseId} was decided before`, {
      path: 'call',
      value: toolUseId,
      remedy: 'Nothing to do: an approval counts once.',
    });
  }
  return found;
}

/** @returns what takes the place of the call's input, undefined when nothing does */
function changedInput(
  state: SessionState,
  { thread, call }: Found,
  { input: given, result, check }: Pick<Confirmation, 'input' | 'result'> & { check: CheckInput },
): unknown {
  if (given === undefined) return undefined;
  if (result === 'deny')
    throw wrongInput('A call that is denied runs with no input', given, 'Say with a message what is to be done instead.');
  if (!isPlainJson(given)) throw wrongInput('The input is not JSON', given, 'Give plain JSON values, nested at most 60 deep.');
  const input = JSON.parse(JSON.stringify(given)) as unknown;
  if (equalJson(call.input, input)) return undefined;
  const refusal = refuseEdit(state, { thread, call, input }, (changed) => check(thread.agent, call.name, changed));
  if (refusal === null) return input;
  const code = refusal.code === 'budget_exceeded' ? refusal.code : 'invalid_tool_input';
  throw new DreamfoldError(code, refusal.message, {
    path: 'input',
    value: input,
    remedy: 'Give the whole input as the tool is to get it, approve the call as it was asked for, or deny it with a message.',
  });
}

function wrongInput(message: string, value: unknown, remedy: string): DreamfoldError {
  return new DreamfoldError('invalid_argument', message, { path: 'input', value, remedy });
}

/** Applies the JSON Schemas of the team on the log; what they cannot say, and what zod cannot read of them, is left to the code. */
function schemaOf(state: SessionState): CheckInput {
  return (agent, name, input) => {
    const schema = agentOf(state, agent)?.tools.find((tool) => tool.name === name)?.input_schema;
    const zod = schema === undefined ? null : zodOf(schema);
    const checked = zod?.safeParse(input);
    const unknown = unknownField(schema, input);
    if (unknown !== null) {
      const { path, known } = unknown;
      return { fits: false, message: `${name}: ${path}: there is no such field${known.length === 0 ? '' : `, only ${known.join(', ')}`}` };
    }
    if (checked === undefined) return { fits: true };
    if (checked.success) return equalJson(checked.data, input) ? { fits: true } : { fits: true, parsed: checked.data };
    const issue = checked.error.issues[0]!;
    return { fits: false, message: `${name}: ${issue.path.join('.') || 'input'}: ${issue.message}` };
  };
}

function zodOf(schema: JsonSchema): z.ZodType | null {
  try {
    return z.fromJSONSchema(schema);
  } catch {
    return null;
  }
}

function actorOf(by: string): string {
  const name = typeof by === 'string' ? by.replace(/^person:/, '').trim() : by;
  checkName(name, { path: 'by', maxChars: MAX_LABELLER_CHARS });
  return `person:${name}`;
}
