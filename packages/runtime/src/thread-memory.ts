import { selectMemory, taskOf, type PinnedMemory, type SelectedMemory, type SessionState, type Thread } from '@dreamfold/core';

/** What each thread of a session is given of the pinned memory: selected once, for the task that it begins with. */
export class ThreadMemory {
  readonly #pinned: readonly PinnedMemory[];
  readonly #selected = new Map<string, SelectedMemory>();

  constructor(pinned: readonly PinnedMemory[]) {
    this.#pinned = pinned;
  }

  of(state: SessionState, thread: Thread): SelectedMemory {
    let selected = this.#selected.get(thread.id);
    if (selected === undefined) {
      selected = selectMemory(this.#pinned, taskOf(state, thread));
      this.#selected.set(thread.id, selected);
    }
    return selected;
  }
}
