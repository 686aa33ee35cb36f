import { isDreamfoldError, type Session } from 'dreamfold';
import { editInput } from './edit-input.ts';
import type { Io } from '../io.ts';
import { tellError } from '../report.ts';
import { tellCall, waitingFor, type WaitingCall } from '../session/waiting.ts';

/** What came of asking. */
export type Asked =
  /** Somebody decided, here or elsewhere, or the session went on without it. */
  | 'decided'
  /** Nothing to ask about, or the person leaves it to somebody else. */
  | 'left'
  /** Ctrl-C. */
  | 'interrupted';

export interface Asking {
  io: Io;
  /** Who is asked, as `person:NAME`. */
  by: string;
}

/** Asks about each call that waits, until one of the questions is left open. */
export async function askPerson(session: Session, asking: Asking): Promise<Asked> {
  let asked: Asked = 'left';
  for (;;) {
    const [waiting] = waitingFor(session.state, asking.io).calls;
    if (waiting === undefined) return asked;
    asked = await askAbout(session, waiting, asking);
    if (asked !== 'decided') return asked;
  }
}

async function askAbout(session: Session, waiting: WaitingCall, asking: Asking): Promise<Asked> {
  const { io } = asking;
  const gone = whenDecided(session, waiting, io);
  let whole = false;
  let show = true;
  for (;;) {
    const { lines, hiddenCharacters } = tellCall(session.state, waiting, { whole });
    if (show) for (const line of lines) io.note(line);
    const answer = await io.choose('Allow it?', optionsWhen(hiddenCharacters), { signal: gone });
    if (gone.aborted) {
      io.note('This call was decided elsewhere.');
      return 'decided';
    }
    if (answer === null) return 'interrupted';
    if (answer === 'later') return 'left';
    show = answer === 'whole';
    whole ||= show;
    if (answer !== 'whole' && (await decide(session, waiting, { answer, ...asking }))) return 'decided';
  }
}

type Answer = 'later' | 'allow' | 'deny' | 'whole' | 'edit';

/** Enter alone decides nothing. */
function optionsWhen(hiddenCharacters: number): { value: Answer; label: string }[] {
  return [
    { value: 'later', label: 'Decide later' },
    { value: 'allow', label: 'Allow' },
    { value: 'deny', label: 'Deny' },
    ...(hiddenCharacters > 0 ? [{ value: 'whole' as const, label: 'Show all' }] : []),
    { value: 'edit', label: 'Edit the input, and allow what you make of it' },
  ];
}

/** @returns false when the same question is to be asked again */
async function decide(
  session: Session,
  waiting: WaitingCall,
  { answer, io, by }: Asking & { answer: Exclude<Answer, 'later' | 'whole'> },
): Promise<boolean> {
  const { call, callHash } = waiting;
  const bound = { by, ...(callHash === null ? {} : { callHash }) };
  try {
    if (answer === 'allow') await session.approve(call, bound);
    else if (answer === 'deny') await session.deny(call, bound);
    else {
      const edited = await editInput(waiting);
      if (edited === null) {
        io.note('Nothing was changed.');
        return false;
      }
      await session.approve(call, { ...bound, ...edited });
    }
    return true;
  } catch (error) {
    if (!isDreamfoldError(error)) throw error;
    if (UNUSABLE.has(error.code)) {
      tellError(error, io);
      return false;
    }
    // Somebody else was asked too, and was faster; or the call is another one now.
    if (!DECIDED.has(error.code)) throw error;
    io.note(error.message);
    return true;
  }
}

const UNUSABLE: ReadonlySet<string> = new Set([
  'invalid_argument',
  'invalid_tool_input',
  'budget_exceeded',
  'invalid_json',
  'invalid_text',
  'forbidden_key',
  'json_too_deep',
  'json_too_many_keys',
  'payload_too_large',
]);
const DECIDED: ReadonlySet<string> = new Set(['approval_already_used', 'approval_not_found', 'approval_stale']);

/** Aborted once a call no longer waits as it was shown, or the session can't go on here. */
function whenDecided(session: Session, { call, callHash }: WaitingCall, io: Io): AbortSignal {
  const decided = new AbortController();
  const waits = (): boolean => waitingFor(session.state, io).calls.some((one) => one.call === call && one.callHash === callHash);
  const watch = async (): Promise<void> => {
    while (waits()) await session.changed();
  };
  // Why it can't go on is what the session says when it is asked next.
  watch()
    .catch(() => {})
    .finally(() => decided.abort());
  return decided.signal;
}
