import { agentOf, unjudged, type SessionState } from '@dreamfold/core';
import type { JsonSchema } from '@dreamfold/events';
import { callView, type CallView } from '../render/call-view.ts';
import type { Io } from '../io.ts';
import { oneLine } from '../render/printable.ts';

/** A call that waits for a person's approval. */
export interface WaitingCall {
  call: string;
  agent: string;
  tool: string;
  /** What it runs with: what the tool's schema made of the model's input. */
  input: unknown;
  /** What the approval is bound to. */
  callHash: string | null;
  /** The command that approves it. */
  approve: string;
}

/** A criterion that waits for a person's score. */
export interface WaitingScore {
  criterion: string;
  ask: string;
  grade: string;
}

/** Says who goes on with a session that was answered, which perhaps nobody runs. */
export function tellHowToGoOn(session: string, io: Io): void {
  io.line("A worker of its team goes on with it. Without one, with the team's file:");
  io.verbatim(`  ${io.typed(`resume ${session} FILE`)}`);
}

/** What a session waits for, with the commands that answer. */
export function waitingFor(state: SessionState, io: Pick<Io, 'typed'>): { calls: WaitingCall[]; scores: WaitingScore[] } {
  const calls = state.threads.flatMap((thread) =>
    thread.calls
      .filter((call) => call.status === 'asked')
      .map((call) => ({
        call: call.id,
        agent: agentOf(state, thread.agent)?.name ?? thread.agent,
        tool: call.name,
        input: call.input,
        callHash: call.callHash,
        approve: io.typed(`approve ${state.id} ${call.id}`),
      })),
  );
  const scores = unjudged(state).map((criterion) => ({
    criterion,
    ask: state.outcome?.criteria.find((c) => c.id === criterion)?.ask ?? '',
    grade: io.typed(`grade ${state.id} ${criterion} SCORE --reason "…"`),
  }));
  return { calls, scores };
}

/** The schema of a waiting call's tool, as it stands on the log. */
export function schemaOf(state: SessionState, { agent, tool }: Pick<WaitingCall, 'agent' | 'tool'>): JsonSchema | undefined {
  return agentOf(state, agent)?.tools.find(({ name }) => name === tool)?.input_schema;
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
