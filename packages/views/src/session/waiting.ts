import { agentOf, unjudged, type SessionState } from '@dreamfold/core';
import type { JsonSchema } from '@dreamfold/events';

/** A call that waits for a person's approval. */
export interface WaitingCall {
  call: string;
  agent: string;
  tool: string;
  /** What it runs with: what the tool's schema made of the model's input. */
  input: unknown;
  /** What the approval is bound to. */
  callHash: string | null;
}

/** A criterion that waits for a person's score. */
export interface WaitingScore {
  criterion: string;
  ask: string;
}

/** What a session waits for a person to say. */
export function waitingFor(state: SessionState): { calls: WaitingCall[]; scores: WaitingScore[] } {
  const calls = state.threads.flatMap((thread) =>
    thread.calls
      .filter((call) => call.status === 'asked')
      .map((call) => ({
        call: call.id,
        agent: agentOf(state, thread.agent)?.name ?? thread.agent,
        tool: call.name,
        input: call.input,
        callHash: call.callHash,
      })),
  );
  const asks = new Map(state.outcome?.criteria.map(({ id, ask }) => [id, ask]));
  const scores = unjudged(state).map((criterion) => ({ criterion, ask: asks.get(criterion) ?? '' }));
  return { calls, scores };
}

/** The schema of a waiting call's tool, as it stands on the log. */
export function schemaOf(state: SessionState, { agent, tool }: Pick<WaitingCall, 'agent' | 'tool'>): JsonSchema | undefined {
  return agentOf(state, agent)?.tools.find(({ name }) => name === tool)?.input_schema;
}
