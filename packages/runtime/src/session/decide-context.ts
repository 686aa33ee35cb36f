import type { DecideContext } from '@dreamfold/core';
import { checkInputWith } from '../perform/check-input.ts';
import type { ProcessorOptions } from './completion.ts';
import { RequestDigests, sha256 } from '../digest.ts';
import type { FrameOf } from '../perform/prompt-frames.ts';
import type { ThreadMemory } from '../perform/thread-memory.ts';

interface ContextParts {
  team: ProcessorOptions['team'];
  memory: ThreadMemory;
  frameOf: FrameOf;
}

/** The digests of a session's requests, as they are sent. */
export function requestDigests(memory: ThreadMemory, frameOf: FrameOf): RequestDigests {
  return new RequestDigests((s, thread) => ({ frame: frameOf(s, thread.agent), memory: memory.blockOf(s, thread) }));
}

/** What deciding on a session needs from outside. */
export function decideContext({ team, memory, frameOf }: ContextParts): DecideContext {
  const digests = requestDigests(memory, frameOf);
  return {
    sha256,
    checkInput: checkInputWith(team),
    memoryFor: (s, thread) => memory.of(s, thread),
    requestDigest: (s, thread) => digests.of(s, thread),
  };
}
