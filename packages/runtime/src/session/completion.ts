import type { LogEvent, NewEvent } from '@dreamfold/events';
import type { PinnedMemory, SessionState } from '@dreamfold/core';
import type { Model } from '@dreamfold/model';
import type { RubricDefinition } from '../team/definitions.ts';
import type { Team } from '../team/team.ts';
import type { LogInTime } from '../time/surroundings.ts';

/** What came of work or of a command, as events of the state that it is recorded in. `cause` makes it count once. */
export interface Completion {
  cause: string;
  /** The seq of the intent that it answers. */
  causedBy?: number;
  build: (state: SessionState, appendId: string) => NewEvent[];
}

export interface ProcessorOptions extends LogInTime {
  team: Team;
  modelFor: (agent: { name: string; model: string | Model }) => Model;
  /** The graders in code that the session goes on with. */
  rubric: RubricDefinition | null;
  /** The memory stores, as they were when the session began. */
  memory: readonly PinnedMemory[];
  /** What came to stand on the log, in order. The events are made when they are looked at. */
  onEvents: (added: { readonly events: readonly LogEvent[] }) => void;
  onDelta: (threadId: string, text: string) => void;
  /** Nothing is under way and nothing is left to decide; or it cannot go on. */
  onRest: () => void;
}
