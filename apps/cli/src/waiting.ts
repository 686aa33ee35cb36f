import { agentOf, unjudged, type SessionState } from '@dreamfold/core';
import { DEFAULT_DIRECTORY } from './data-directory.ts';

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

/** What a command to copy needs to reach the same data. */
export function dataFlag(directory: string): string {
  return directory === DEFAULT_DIRECTORY ? '' : ` --data ${JSON.stringify(directory)}`;
}

/** What to say to who has answered a session that perhaps nobody runs. */
export function howToGoOn(session: string, directory: string): string {
  return `If no process runs it: dreamfold resume ${session} FILE${dataFlag(directory)}, with the team's file.`;
}

/** What a session waits for, with the commands that answer. */
export function waitingFor(state: SessionState, directory: string): { calls: WaitingCall[]; scores: WaitingScore[] } {
  const data = dataFlag(directory);
  const calls = state.threads.flatMap((thread) =>
    thread.calls
      .filter((call) => call.status === 'asked')
      .map((call) => ({
        call: call.id,
        agent: agentOf(state, thread.agent)?.name ?? thread.agent,
        tool: call.name,
        input: call.input,
        callHash: call.callHash,
        approve: `dreamfold approve ${state.id} ${call.id}${data}`,
      })),
  );
  const scores = unjudged(state).map((criterion) => ({
    criterion,
    ask: state.outcome?.criteria.find((c) => c.id === criterion)?.ask ?? '',
    grade: `dreamfold grade ${state.id} ${criterion} SCORE --reason "…"${data}`,
  }));
  return { calls, scores };
}
