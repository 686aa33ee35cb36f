import { CATALOGUE, type EventType, type KnownEvent } from '@dreamfold/events';

/** What each type of event makes of a state; a type that has no handler changes nothing. */
export type Handlers<S> = { readonly [T in EventType]?: (state: S, event: KnownEvent<T>) => S };

/** The state after an event. Total, as the folds of core are: a payload that was erased, or that does not fit its schema, changes nothing. */
export function foldKnown<S>(state: S, event: KnownEvent, handlers: Handlers<S>): S {
  if (event.data === null) return state;
  const handler = handlers[event.type] as ((state: S, event: KnownEvent) => S) | undefined;
  if (handler === undefined) return state;
  try {
    return handler(state, event);
  } catch (error) {
    // Only a payload that does not fit its schema may fail here; anything else is a fault of this code.
    if (!CATALOGUE[event.type].safeParse(event.data).success) return state;
    throw error;
  }
}
