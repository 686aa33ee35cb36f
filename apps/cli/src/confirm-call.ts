import type { Command } from 'commander';
import { DreamfoldError, type Dreamfold } from 'dreamfold';
import { withData } from './data-directory.ts';
import { findEvent } from './find-event.ts';
import { findSession } from './find-session.ts';
import { gather } from './gather.ts';
import type { Io } from './io.ts';
import { oneLine } from './printable.ts';
import { tellHowToGoOn, waitingFor, type WaitingCall } from './waiting.ts';

export interface ConfirmCall {
  prefix: string;
  /** Left out: the only one that waits. */
  call: string | undefined;
  result: 'allow' | 'deny';
  by: string | undefined;
  /** Told to the model. */
  message?: string | undefined;
  command: Command;
}

/** Records a person's word on a call, for the process that runs the session or the one that will. */
export async function confirmCall({ prefix, call, result, by, message, command }: ConfirmCall, io: Io): Promise<void> {
  await withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) => {
    const id = await findSession(dreamfold, prefix);
    const { calls } = waitingFor(await dreamfold.session(id), io);
    const toolUseId = call === undefined ? onlyCall(id, calls) : await callId(dreamfold, id, call);
    const waiting = calls.find((c) => c.call === toolUseId);
    await dreamfold.confirm(id, {
      toolUseId,
      result,
      ...(message === undefined ? {} : { message }),
      ...(by === undefined ? {} : { by }),
      ...(waiting?.callHash == null ? {} : { callHash: waiting.callHash }),
    });
    io.document({ session: id, call: toolUseId, result });
    const told = waiting === undefined ? toolUseId : `${oneLine(waiting.tool, 64)} ${oneLine(JSON.stringify(waiting.input) ?? '', 500)}`;
    io.line(`${result === 'allow' ? 'Approved' : 'Denied'}: ${told}`);
    tellHowToGoOn(id, io);
  });
}

/** A call by its number in `show`; anything else is its id. @throws DreamfoldError not_found */
async function callId(dreamfold: Dreamfold, session: string, call: string): Promise<string> {
  return /^#?\d+$/.test(call) ? findEvent(await gather(dreamfold.events(session)), call).id : call;
}

function onlyCall(session: string, calls: readonly WaitingCall[]): string {
  if (calls.length === 1) return calls[0]!.call;
  if (calls.length === 0) {
    throw new DreamfoldError('approval_not_found', `No call of ${session} waits for approval`, {
      path: 'call',
      remedy: 'See what it does with `dreamfold show`.',
    });
  }
  throw new DreamfoldError('invalid_argument', `${calls.length} calls of ${session} wait for approval`, {
    path: 'call',
    value: calls.map((c) => c.call),
    remedy: `Name one: ${calls.map((c) => `${c.call} (${c.tool})`).join(', ')}.`,
  });
}
