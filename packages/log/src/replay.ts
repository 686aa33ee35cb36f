import type { LogEvent } from '@dreamfold/events';
import type { Log } from './port.ts';

/**
 * Folds a stream: the state that its events lead to.
 * @param evolve gives the next state; it may change the state that it is given, since nobody else holds it
 * @param options.to last seq to fold, default the head
 */
export async function fold<S>(
  log: Pick<Log, 'read'>,
  stream: string,
  { initial, evolve, to }: { initial: S; evolve: (state: S, event: LogEvent) => S; to?: number },
): Promise<S> {
  let state = initial;
  for await (const events of log.read(stream, to === undefined ? {} : { to })) {
    for (const event of events) state = evolve(state, event);
  }
  return state;
}
