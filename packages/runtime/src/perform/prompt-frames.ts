import { agentOf, promptFrame, type PromptFrame, type SessionState } from '@dreamfold/core';

/** The frame of the requests of an agent. */
export type FrameOf = (state: SessionState, agent: string) => PromptFrame;

/** Makes the frame of each agent of a session once: its team is one while a process runs it. */
export function frames(): FrameOf {
  const made = new Map<string, PromptFrame>();
  return (state, name) => {
    let frame = made.get(name);
    if (frame === undefined) {
      const agent = agentOf(state, name);
      if (agent === undefined) throw new TypeError(`no agent ${name} in the session's team`);
      frame = promptFrame(agent, state.team.agents);
      made.set(name, frame);
    }
    return frame;
  };
}
