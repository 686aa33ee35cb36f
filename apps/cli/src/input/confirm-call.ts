import type { Command } from 'commander';
import { DATA_LIMITS, parseJson } from '@dreamfold/events';
import { DreamfoldError, type Dreamfold, type SessionState } from 'dreamfold';
import { callView, changeLines } from '../render/call-view.ts';
import { withData } from '../data-directory.ts';
import { findEvent } from '../session/find-event.ts';
import { findSession } from '../session/find-session.ts';
import { gather } from '../session/gather.ts';
import type { Io } from '../io.ts';
import { personOf } from './person.ts';
import { schemaOf } from '@dreamfold/views';
import { tellCall, tellHowToGoOn, waitingFor, type WaitingCall } from '../session/waiting.ts';

interface NamedCall {
  prefix: string;
  /** Left out: the only one that waits. */
  call: string | undefined;
  command: Command;
}

export interface ConfirmCall extends NamedCall {
  result: 'allow' | 'deny';
  /** What `--by` says; default the user name. */
  by: string | undefined;
  /** JSON that the call is to run with. */
  input?: string | undefined;
  /** Told to the model. */
  message?: string | undefined;
}

/** Records a person's word on a call, for the process that runs the session or the one that will. */
export async function confirmCall({ prefix, call, result, by, input, message, command }: ConfirmCall, io: Io): Promise<void> {
  const person = personOf(by);
  const edited = input === undefined ? {} : { input: parseJson(input, '--input', DATA_LIMITS) };
  await withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) => {
    const { id, state, toolUseId, waiting } = await findCall(dreamfold, { prefix, call, io });
    await dreamfold.confirm(id, {
      toolUseId,
      result,
      by: person,
      ...edited,
      ...(message === undefined ? {} : { message }),
      ...(waiting?.callHash == null ? {} : { callHash: waiting.callHash }),
    });
    io.document({ session: id, call: toolUseId, result, by: person, ...edited });
    io.line(`${result === 'allow' ? 'Approved' : 'Denied'} by ${person}: ${waiting?.tool ?? toolUseId}`);
    if (waiting !== undefined) {
      const ran = { ...waiting, ...edited };
      for (const line of callView(ran.input, schemaOf(state, waiting), { whole: false }).lines) io.line(line);
      for (const line of changeLines(waiting.input, ran.input)) io.line(`  ${line}`);
    }
    tellHowToGoOn(id, io);
  });
}

/** Shows the whole of a call that waits. */
export async function showCall(named: NamedCall, io: Io): Promise<void> {
  await withData(named.command, { io, readOnly: true }, async (dreamfold) => {
    const { id, state, toolUseId, waiting } = await findCall(dreamfold, { ...named, io });
    if (waiting === undefined) throw notWaiting(id, toolUseId);
    io.document({ session: id, ...waiting });
    for (const line of tellCall(state, waiting, { whole: true }).lines) io.line(line);
  });
}

interface FoundCall {
  id: string;
  state: SessionState;
  toolUseId: string;
  /** The call, when it waits. */
  waiting: WaitingCall | undefined;
}

async function findCall(dreamfold: Dreamfold, { prefix, call, io }: Pick<NamedCall, 'prefix' | 'call'> & { io: Io }): Promise<FoundCall> {
  const id = await findSession(dreamfold, prefix);
  const state = await dreamfold.session(id);
  const { calls } = waitingFor(state, io);
  const toolUseId = call === undefined ? onlyCall(id, calls) : await callId(dreamfold, id, call);
  return { id, state, toolUseId, waiting: calls.find((one) => one.call === toolUseId) };
}

/** A call by its number in `show`; anything else is its id. @throws DreamfoldError not_found */
async function callId(dreamfold: Dreamfold, session: string, call: string): Promise<string> {
  return /^#?\d+$/.test(call) ? findEvent(await gather(dreamfold.events(session)), call).id : call;
}

function onlyCall(session: string, calls: readonly WaitingCall[]): string {
  if (calls.length === 1) return calls[0]!.call;
  if (calls.length === 0) throw notWaiting(session);
  throw new DreamfoldError('invalid_argument', `${calls.length} calls of ${session} wait for approval`, {
    path: 'call',
    value: calls.map((c) => c.call),
    remedy: `Name one: ${calls.map((c) => `${c.call} (${c.tool})`).join(', ')}.`,
  });
}

function notWaiting(session: string, call?: string): DreamfoldError {
  const what = call === undefined ? `No call of ${session} waits for approval` : `${session} has no call ${call} that waits for approval`;
  return new DreamfoldError('approval_not_found', what, {
    path: 'call',
    ...(call === undefined ? {} : { value: call }),
    remedy: `See what it does with \`dreamfold show ${session}\`.`,
  });
}
