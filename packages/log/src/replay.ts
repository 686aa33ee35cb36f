import type { LogEvent } from '@dreamfold/events';
import type { Log } from './port.ts';

/**
 * Folds a stream: the state that its events lead to.
 * @param log what holds it
 * @param stream its name
 * @param options `evolve` gives the next state, and may change the one that it is given, since nobody else holds it; `to` is the last
 * seq to fold, by default the head
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
