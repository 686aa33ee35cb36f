import { CATALOGUE, knownEvent, type EventType, type KnownEvent } from './catalogue.ts';
import type { LogEvent } from './envelope.ts';

/**
 * What each type of event makes of a state. A type without a handler changes nothing.
 * @typeParam C what handlers are given besides
 */
export type FoldHandlers<S, C = void> = { readonly [T in EventType]?: (state: S, event: KnownEvent<T>, context: C) => S };

/** One step of a fold over events that are known: see {@link foldWith}. */
export type KnownFold<S, C = void> = (state: S, event: KnownEvent, context: C) => S;

/**
 * A fold step over events whose type and version are known to be of this code. Total: a payload that was erased, or that does not fit its
 * schema, changes nothing, the same way everywhere.
 */
export function foldKnown<S, C = void>(handlers: FoldHandlers<S, C>): KnownFold<S, C> {
  return (state, event, context) => {
    // The catalogue pairs each type with its payload; that an event and its handler have the same type, the compiler can't see.
    const handler = handlers[event.type] as KnownFold<S, C> | undefined;
    if (handler === undefined || event.data === null) return state;
    try {
      return handler(state, event, context);
    } catch (error) {
      // Only a payload that does not fit its schema may fail here; anything else is a fault of this code.
      if (!CATALOGUE[event.type].safeParse(event.data).success) return state;
      throw error;
    }
  };
}

/** The same over events of the log, each upcast to the newest version of its type. One that is newer than this code changes nothing. */
export function foldWith<S>(handlers: FoldHandlers<S>): (state: S, event: LogEvent) => S {
  const fold = foldKnown(handlers);
  return (state, logged) => {
    const event = knownEvent(logged);
    return event === null ? state : fold(state, event);
  };
}
