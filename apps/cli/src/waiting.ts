import { agentOf, unjudged, type SessionState } from '@dreamfold/core';
import type { Io } from './io.ts';

/** A call that waits for a person's approval. */
export interface WaitingCall {
  call: string;
  agent: string;
  tool: string;
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
