import type { SessionState } from '@dreamfold/core';
import { schemaOf, waitingFor as waitingIn, type WaitingCall as CallInView, type WaitingScore as ScoreInView } from '@dreamfold/views';
import { callView, type CallView } from '../render/call-view.ts';
import type { Io } from '../io.ts';
import { oneLine } from '../render/printable.ts';

/** A call that waits for a person's approval, with the command that approves it. */
export interface WaitingCall extends CallInView {
  approve: string;
}

/** A criterion that waits for a person's score, with the command that gives it. */
export interface WaitingScore extends ScoreInView {
  grade: string;
}

/** Says who goes on with a session that was answered, which perhaps nobody runs. */
export function tellHowToGoOn(session: string, io: Io): void {
  io.line("A worker of its team goes on with it. Without one, with the team's file:");
  io.verbatim(`  ${io.typed(`resume ${session} FILE`)}`);
}

/** What a session waits for, with the commands that answer. */
export function waitingFor(state: SessionState, io: Pick<Io, 'typed'>): { calls: WaitingCall[]; scores: WaitingScore[] } {
  const { calls, scores } = waitingIn(state);
  return {
    calls: calls.map((waiting) => ({ ...waiting, approve: io.typed(`approve ${state.id} ${waiting.call}`) })),
    scores: scores.map((waiting) => ({ ...waiting, grade: io.typed(`grade ${state.id} ${waiting.criterion} SCORE --reason "…"`) })),
  };
}

/** The call as everybody who decides on it sees it: run, approve, show, and the question on a terminal. */
export function tellCall(state: SessionState, waiting: WaitingCall, { whole }: { whole: boolean }): CallView {
  const { lines, hiddenCharacters } = callView(waiting.input, schemaOf(state, waiting), { whole });
  const hidden = hiddenCharacters === 0 ? [] : [`  ${hiddenCharacters} characters are not shown.`];
  return { lines: [`${oneLine(waiting.agent, 64)} wants to run ${oneLine(waiting.tool, 64)}:`, ...lines, ...hidden], hiddenCharacters };
}

/** Prints what a session waits for, with the commands that answer. */
export function printWaiting(state: SessionState, io: Io): void {
  const { calls, scores } = waitingFor(state, io);
  for (const waiting of calls) {
    const { lines, hiddenCharacters } = tellCall(state, waiting, { whole: false });
    for (const line of lines) io.line(`  ${line}`);
    if (hiddenCharacters > 0) io.verbatim(`    ${waiting.approve} --show`);
    io.verbatim(`    ${waiting.approve}`);
    io.verbatim(`    ${io.typed(`deny ${state.id} ${waiting.call}`)}`);
  }
  for (const { criterion, ask, grade } of scores) {
    io.line(`  a score of ${criterion}: ${oneLine(ask, 500)}`);
    io.verbatim(`    ${grade}`);
  }
}
