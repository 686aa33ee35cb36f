import type { DecideContext, PromptFrame, SessionState } from '@dreamfold/core';
import { checkInputWith } from './check-input.ts';
import type { ProcessorOptions } from './completion.ts';
import { RequestDigests, sha256 } from './digest.ts';
import { ThreadMemory } from './thread-memory.ts';

/** What deciding on a session needs from outside. @param frame of the requests of an agent */
export function decideContext(
  { memory: pinned, team }: Pick<ProcessorOptions, 'memory' | 'team'>,
  frame: (state: SessionState, agent: string) => PromptFrame,
): DecideContext {
  const memory = new ThreadMemory(pinned);
  const digests = new RequestDigests((s, thread) => ({ frame: frame(s, thread.agent), memory: memory.of(s, thread).text }));
  return {
    sha256,
    checkInput: checkInputWith(team),
    memoryFor: (s, thread) => memory.of(s, thread),
    requestDigest: (s, thread) => digests.of(s, thread),
  };
}
