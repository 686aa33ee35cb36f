import type { LogEvent } from '@dreamfold/events';
import { DreamfoldError } from 'dreamfold';

/**
 * The event that is meant by its id, or by its number in `show`: `8`, `#8`.
 * @throws DreamfoldError not_found
 */
export function findEvent(events: readonly LogEvent[], given: string): LogEvent {
  const number = /^#?(\d+)$/.exec(given)?.[1];
  const found = events.find(({ id, seq }) => (number === undefined ? id === given : seq === Number(number)));
  if (found !== undefined) return found;
  throw new DreamfoldError('not_found', `The session has no event ${given}`, {
    path: 'event',
    value: given,
    remedy: `Give its number, 1 to ${events.length}, as \`dreamfold show SESSION\` prints it in front of each line; or its id.`,
  });
}
