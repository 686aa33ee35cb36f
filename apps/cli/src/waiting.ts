import { agentOf, unjudged, type SessionState } from '@dreamfold/core';

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

/** What to say to who has answered a session that perhaps nobody runs. @param flags of `dataFlags` */
export function howToGoOn(session: string, flags: string): string {
  return `A worker of its team goes on with it. Without one: dreamfold resume ${session} FILE${flags}, with the team's file.`;
}

/** What a session waits for, with the commands that answer. @param flags of `dataFlags` */
export function waitingFor(state: SessionState, flags: string): { calls: WaitingCall[]; scores: WaitingScore[] } {
  const calls = state.threads.flatMap((thread) =>
    thread.calls
      .filter((call) => call.status === 'asked')
      .map((call) => ({
        call: call.id,
        agent: agentOf(state, thread.agent)?.name ?? thread.agent,
        tool: call.name,
        input: call.input,
        callHash: call.callHash,
        approve: `dreamfold approve ${state.id} ${call.id}${flags}`,
      })),
  );
  const scores = unjudged(state).map((criterion) => ({
    criterion,
    ask: state.outcome?.criteria.find((c) => c.id === criterion)?.ask ?? '',
    grade: `dreamfold grade ${state.id} ${criterion} SCORE --reason "…"${flags}`,
  }));
  return { calls, scores };
}
