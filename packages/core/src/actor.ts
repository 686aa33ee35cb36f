import { DreamfoldError, Envelope, firstCharacters } from '@dreamfold/events';

/**
 * Who did it, as the log keeps it; checked here, where the name can still be told from the rest of a request.
 * @param actor such as `person:NAME`
 * @param path names the argument that it comes from in the error
 * @throws DreamfoldError invalid_argument
 */
export function checkedActor(actor: string, path = 'by'): string {
  if (Envelope.shape.actor.safeParse(actor).success) return actor;
  throw new DreamfoldError('invalid_argument', `Whoever acts on the log has a name, and this is none that it keeps`, {
    path,
    value: typeof actor === 'string' ? firstCharacters(actor, 60) : actor,
    remedy: 'Give one line of at most 190 characters, without control characters.',
  });
}
