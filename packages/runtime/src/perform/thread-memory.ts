import {
  memoryBlock,
  selectMemory,
  taskOf,
  type MemoryBlock,
  type PinnedMemory,
  type SelectedMemory,
  type SessionState,
  type Thread,
} from '@dreamfold/core';
import { sha256 } from '../digest.ts';
import type { FrameOf } from './prompt-frames.ts';

interface Told {
  selected: SelectedMemory;
  block: MemoryBlock | null;
}

/** What each thread of a session is given of the pinned memory: selected once, for the task and the tools that it begins with. */
export class ThreadMemory {
  readonly #pinned: readonly PinnedMemory[];
  readonly #frameOf: FrameOf;
  readonly #told = new Map<string, Told>();

  constructor(pinned: readonly PinnedMemory[], frameOf: FrameOf) {
    this.#pinned = pinned;
    this.#frameOf = frameOf;
  }

  of(state: SessionState, thread: Thread): SelectedMemory {
    return this.#toldTo(state, thread).selected;
  }

  /** The same, as it stands in the thread's requests; null for nothing. */
  blockOf(state: SessionState, thread: Thread): MemoryBlock | null {
    return this.#toldTo(state, thread).block;
  }

  #toldTo(state: SessionState, thread: Thread): Told {
    const before = this.#told.get(thread.id);
    if (before !== undefined) return before;
    const { tools } = this.#frameOf(state, thread.agent);
    const selected = selectMemory(this.#pinned, { task: taskOf(state, thread), tools });
    const told = { selected, block: memoryBlock(selected, { nonce: state.nonce, thread: thread.id, sha256 }) };
    this.#told.set(thread.id, told);
    return told;
  }
}
