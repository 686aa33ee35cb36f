import {
  List,
  memoryBlock,
  memoryText,
  promptFrame,
  renderRequest,
  selectMemory,
  utf8Bytes,
  type ModelRequest,
  type PinnedMemory,
} from '@dreamfold/core';
import { compileTeam, sha256 } from '@dreamfold/runtime';
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
 * Routes requests as sessions would, from the selection of the memory over the rendered prompt to the policy, and writes nothing.
 * @param pinned the memory, [] for none
 */
export function scoreHeldOut(requests: readonly LabelledRequest[], agent: AgentDefinition, pinned: readonly PinnedMemory[]): Score {
  const firstRequest = firstRequestOf(agent, pinned);
  const bytes: number[] = [];
  let right = 0;
  for (const { text, queue } of requests) {
    const { request, memory } = firstRequest(text);
    bytes.push(utf8Bytes(memory));
    if (choose(request).value === queue) right += 1;
  }
  return { accuracy: right / requests.length, memoryBytes: { p50: median(bytes), max: Math.max(...bytes) } };
}

/** The queue that each request goes to, as sessions would route it. */
export function routeHeldOut(requests: readonly LabelledRequest[], agent: AgentDefinition, pinned: readonly PinnedMemory[]): string[] {
  const firstRequest = firstRequestOf(agent, pinned);
  return requests.map(({ text }) => choose(firstRequest(text).request).value);
}

/** What an agent's model gets to see first of a task: the request that a session with this memory would begin with. */
export function firstRequestOf(
  agent: AgentDefinition,
  pinned: readonly PinnedMemory[],
): (task: string) => { request: ModelRequest; memory: string } {
  const { agents } = compileTeam(agent).snapshot;
  const frame = promptFrame(agents[0]!, agents);
  return (task) => {
    const selected = selectMemory(pinned, { task, tools: frame.tools });
    const memory = memoryBlock(selected, { nonce: '', thread: '', sha256 });
    const message = { role: 'user' as const, content: [{ type: 'text' as const, text: task }] };
    return { request: renderRequest(frame, List.of(message), memory), memory: memory === null ? '' : memoryText(memory) };
  };
}
