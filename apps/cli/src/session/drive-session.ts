import type { Command } from 'commander';
import type { OutcomeResult, Session, SessionResult } from 'dreamfold';
import { askPerson } from '../input/ask-person.ts';
import type { EventLines } from '../render/event-lines.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { Io } from '../io.ts';
import { personOf } from '../input/person.ts';
import { counted } from '../render/counted.ts';
import { printable, shellWord } from '../render/printable.ts';
import { printWaiting, waitingFor } from './waiting.ts';

export interface Drive {
  io: Io;
  command: Command;
  lines: EventLines;
  /** Says nothing but the result. */
  quiet: boolean;
  /** Waits for a person's word from another terminal, and neither asks here nor ends. */
  wait: boolean;
  /** The team's file, for the command that goes on. */
  file: string;
}

/** Shows a session while it runs, until it rests; asks when it waits for a person; stops it on Ctrl-C. Prints what became of it. */
export async function driveSession(session: Session, drive: Drive): Promise<void> {
  const { io, lines, quiet } = drive;
  let signalled = false;
  let interrupted = false;
  session.on('event', (event) => {
    if (event.type === 'user.interrupt') interrupted = true;
    if (!quiet) for (const line of lines.of(event)) io.line(line);
  });
  const onSignal = (): void => {
    // What is acknowledged is on the log; the session can be resumed.
    if (signalled) process.exit(EXIT.interrupted);
    signalled = true;
    io.note('Interrupting; press Ctrl-C again to leave at once.');
    session.interrupt().catch((error: unknown) => io.note(String(error)));
  };
  process.on('SIGINT', onSignal);
  try {
    const { result, left } = await settle(session, drive);
    const code = (interrupted && session.state.interrupted) || signalled || left ? EXIT.interrupted : exitCodeOfResult(result);
    printResult(session, result, { ...drive, code });
    io.exitCode = code;
  } finally {
    process.off('SIGINT', onSignal);
  }
}

/**
 * Waits until the session rests and nobody here has anything left to say to it.
 * @returns `left`: the person at the terminal left with Ctrl-C
 */
async function settle(session: Session, drive: Drive): Promise<{ result: SessionResult; left: boolean }> {
  const { io, wait } = drive;
  for (;;) {
    const result = await session.done();
    if (result.stopReason.type !== 'requires_action') return { result, left: false };
    if (wait) {
      tellWaiting(session, drive);
      await goesOn(session);
      continue;
    }
    const asked = io.interactive ? await askPerson(session, { io, by: personOf() }) : 'left';
    if (asked === 'decided') continue;
    // While somebody was asked, others may have gone on with it.
    const now = await session.done();
    if (asked === 'interrupted' || now.stopReason.type === 'requires_action') return { result: now, left: asked === 'interrupted' };
  }
}

/** Resolves when somebody has given the session something to do. @throws when it can't go on here */
async function goesOn(session: Session): Promise<void> {
  // The look at the log for other processes does not keep this one alive.
  const alive = setInterval(() => {}, 60_000);
  try {
    while (session.state.status === 'idle' && session.state.stopReason?.type === 'requires_action') await session.changed();
  } finally {
    clearInterval(alive);
  }
}

function exitCodeOfResult({ stopReason, outcome }: SessionResult): ExitCode {
  if (stopReason.type === 'requires_action') return EXIT.waiting;
  if (stopReason.type !== 'end_turn') return EXIT.failed;
  return outcome === null || outcome.result === 'satisfied' ? EXIT.ok : EXIT.failed;
}

const STATUS: Readonly<Record<ExitCode, string>> = {
  [EXIT.ok]: 'done',
  [EXIT.failed]: 'failed',
  [EXIT.usage]: 'failed',
  [EXIT.store]: 'failed',
  [EXIT.locked]: 'failed',
  [EXIT.waiting]: 'waiting',
  [EXIT.interrupted]: 'interrupted',
};

function printResult(session: Session, result: SessionResult, drive: Drive & { code: ExitCode }): void {
  const { io, code } = drive;
  const { calls, scores } = waitingFor(session.state, io);
  io.document({ ...result, status: STATUS[code], waiting: [...calls, ...scores] });
  io.line();
  if (result.text !== '') io.line(printable(result.text));
  if (result.error !== null) io.line(io.paint('red', `Error: ${printable(result.error)}`));
  if (result.stopReason.type === 'requires_action') tellWaiting(session, drive);
  else if (result.stopReason.type !== 'end_turn') io.line(io.paint('yellow', `Stopped: ${result.stopReason.type}`));
  io.line();
  io.line(summary(result));
  if (result.outcome !== null) io.line(`Rubric: ${outcomeText(result.outcome)}`);
  if (result.earlierOutcome !== null) io.line(`Rubric: none for this turn; an earlier one: ${outcomeText(result.earlierOutcome)}`);
  io.line(`Session: ${session.id}`);
}

function outcomeText({ result, best, attempts }: OutcomeResult): string {
  const of = attempts.length > 1 ? `, attempt ${(best?.iteration ?? 0) + 1} of ${attempts.length} is the best` : '';
  return `${result.replaceAll('_', ' ')}, score ${best?.score.toFixed(2) ?? 'none'}${of}`;
}

/** Such as `1 model call, 3 tool calls`. */
export function callsText({ modelCalls, toolCalls }: Pick<SessionResult['usage'], 'modelCalls' | 'toolCalls'>): string {
  return `${counted(modelCalls, 'model call')}, ${counted(toolCalls, 'tool call')}`;
}

/** Tokens and cost, in one line. */
export function summary({ usage }: Pick<SessionResult, 'usage'>): string {
  const input = usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;
  const cost = usage.costUsd === null ? 'cost unknown: a model has no price' : `cost $${usage.costUsd.toFixed(4)}`;
  return `Tokens: ${input} in, ${usage.output_tokens} out; ${callsText(usage)}; ${cost}`;
}

function tellWaiting(session: Session, { io, file, wait }: Drive): void {
  io.line(io.paint('yellow', 'It waits for a person:'));
  printWaiting(session.state, io);
  if (!wait) io.verbatim(`  then: ${io.typed(`resume ${session.id} ${shellWord(file)}`)}`);
}
