import { EVENT_VERSION, eventId, isEventType, type LogEvent, type NewEvent } from '@dreamfold/events';

/** How a stream behaves. Both are pure: the same state and event give the same answer everywhere. */
export interface Decider<S> {
  readonly evolve: (state: S, event: LogEvent) => S;
  /** What follows from a state alone, as the next events; [] when nothing does. */
  readonly decide: (state: S) => readonly NewEvent[];
}

/** Where the events of an append will stand, should it count. */
export interface AppendPlace {
  stream: string;
  /** The seq of the stream's head before the append. */
  after: number;
  appendId: string;
  /** Milliseconds since 1970. */
  time: number;
}

/**
 * Folds the events of an append, and adds to them what follows, until nothing more does.
 * @param events grows by what follows
 * @returns the state after all of them
 */
export function settle<S>(state: S, events: NewEvent[], { evolve, decide, at }: Decider<S> & { at: AppendPlace }): S {
  let settled = state;
  for (let folded = 0; ;) {
    for (; folded < events.length; folded += 1) settled = evolve(settled, draftedEvent(events[folded]!, at, folded));
    const next = decide(settled);
    if (next.length === 0) return settled;
    events.push(...next);
  }
}

/** An event as the log will give it, as far as a fold looks at it: its position and hash are not known yet. */
function draftedEvent({ type, v, actor, data }: NewEvent, { stream, after, appendId, time }: AppendPlace, i: number): LogEvent {
  return {
    position: 0,
    stream,
    seq: after + i + 1,
    id: eventId(appendId, i),
    time,
    type,
    v: v ?? (isEventType(type) ? EVENT_VERSION[type] : 1),
    causation: null,
    correlation: null,
    actor,
    hash: '',
    data,
  };
}
