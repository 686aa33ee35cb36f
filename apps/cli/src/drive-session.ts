import type { Command } from 'commander';
import { isDreamfoldError, type Session, type SessionResult } from 'dreamfold';
import type { EventLines } from './event-lines.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import type { Io } from './io.ts';
import { oneLine, printable, shellWord } from './printable.ts';
import { waitingFor } from './waiting.ts';

export interface Drive {
  io: Io;
  command: Command;
  lines: EventLines;
  /** Says nothing but the result. */
  quiet: boolean;
  /** Waits for a person's word from another terminal instead of ending. */
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
    const result = await settle(session, drive);
    const code = (interrupted && session.state.interrupted) || signalled ? EXIT.interrupted : exitCodeOfResult(result);
    printResult(session, result, { ...drive, code });
    io.exitCode = code;
  } finally {
    process.off('SIGINT', onSignal);
  }
}

/** Waits until the session rests and nobody here has anything left to say to it. */
async function settle(session: Session, drive: Drive): Promise<SessionResult> {
  for (;;) {
    const result = await session.done();
    if (result.stopReason.type !== 'requires_action') return result;
    if (drive.io.interactive && (await askPerson(session, drive))) continue;
    if (!drive.wait) return result;
    printWaiting(session, drive);
    await changed(session);
  }
}

/** @returns whether a call was decided */
async function askPerson(session: Session, { io }: Drive): Promise<boolean> {
  let decided = false;
  for (const { call, agent, tool, input, callHash } of waitingFor(session.state, io).calls) {
    const answer = await io.confirm(`${agent} wants to run ${tool} ${oneLine(JSON.stringify(input) ?? '', 500)}. Allow it?`);
    if (answer === null) return decided;
    const bound = callHash === null ? {} : { callHash };
    try {
      await (answer ? session.approve(call, bound) : session.deny(call, bound));
    } catch (error) {
      // Somebody else was asked too, and was faster.
      if (!isDreamfoldError(error, 'approval_already_used') && !isDreamfoldError(error, 'approval_not_found')) throw error;
      io.note(error.message);
    }
    decided = true;
  }
  return decided;
}

/** Resolves when somebody has given the session something to do. */
function changed(session: Session): Promise<void> {
  return new Promise((resolve) => {
    // The look at the log for other processes does not keep this one alive.
    const alive = setInterval(() => {}, 60_000);
    const stop = session.on('session.status_running', () => {
      clearInterval(alive);
      stop();
      resolve();
    });
  });
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
  if (code === EXIT.waiting) printWaiting(session, drive);
  else if (result.stopReason.type !== 'end_turn') io.line(io.paint('yellow', `Stopped: ${result.stopReason.type}`));
  io.line();
  io.line(summary(result));
  const { best, attempts } = result.outcome ?? { best: null, attempts: [] };
  if (result.outcome !== null) {
    const of = attempts.length > 1 ? `, attempt ${(best?.iteration ?? 0) + 1} of ${attempts.length} is the best` : '';
    io.line(`Rubric: ${result.outcome.result.replaceAll('_', ' ')}, score ${best?.score.toFixed(2) ?? 'none'}${of}`);
  }
  io.line(`Session: ${session.id}`);
}

/** Tokens and cost, in one line. */
export function summary({ usage }: Pick<SessionResult, 'usage'>): string {
  const input = usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;
  const cost = usage.costUsd === null ? 'cost unknown: a model has no price' : `cost $${usage.costUsd.toFixed(4)}`;
  return `Tokens: ${input} in, ${usage.output_tokens} out; ${usage.modelCalls} model calls, ${usage.toolCalls} tool calls; ${cost}`;
}

function printWaiting(session: Session, { io, file, wait }: Drive): void {
  const { calls, scores } = waitingFor(session.state, io);
  io.line(io.paint('yellow', 'It waits for a person:'));
  for (const { agent, tool, input, approve } of calls) {
    io.line(`  ${oneLine(agent, 64)} wants to run ${oneLine(tool, 64)} ${oneLine(JSON.stringify(input) ?? '', 500)}`);
    io.verbatim(`    ${approve}`);
    io.verbatim(`    ${approve.replace(' approve ', ' deny ')}`);
  }
  for (const { criterion, ask, grade } of scores) {
    io.line(`  a score of ${criterion}: ${oneLine(ask, 500)}`);
    io.verbatim(`    ${grade}`);
  }
  if (!wait) io.verbatim(`  then: ${io.typed(`resume ${session.id} ${shellWord(file)}`)}`);
}
