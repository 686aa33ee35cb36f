import { List, promptFrame, renderRequest, selectMemory, utf8Bytes, type PinnedMemory } from '@dreamfold/core';
import { compileTeam } from '@dreamfold/runtime';
import type { AgentDefinition } from 'dreamfold';
import { median } from '../statistics.ts';
import type { LabelledRequest } from './request-file.ts';
import { choose } from './specialist.ts';

/** How well requests are routed that nobody has learnt from. */
export interface Score {
  /** The part that went into the right queue, from 0 to 1. */
  accuracy: number;
  /** Bytes of memory in a prompt. */
  memoryBytes: { p50: number; max: number };
}

/**
 * Routes requests as a session would, from the selection of the memory over the rendered prompt to the policy, and writes nothing.
 * @param pinned the memory, [] for none
 */
export function scoreHeldOut(requests: readonly LabelledRequest[], agent: AgentDefinition, pinned: readonly PinnedMemory[]): Score {
  const { agents } = compileTeam(agent).snapshot;
  const frame = promptFrame(agents[0]!, agents);
  const bytes: number[] = [];
  let right = 0;
  for (const { text, queue } of requests) {
    const memory = selectMemory(pinned, text).text;
    bytes.push(utf8Bytes(memory));
    const message = { role: 'user' as const, content: [{ type: 'text' as const, text }] };
    if (choose(renderRequest(frame, List.of(message), memory)).value === queue) right += 1;
  }
  return { accuracy: right / requests.length, memoryBytes: { p50: median(bytes), max: Math.max(...bytes) } };
}
