import { DreamfoldError, isDreamfoldError, knownEvent, streamOf } from '@dreamfold/events';
import type { Confirmation } from '@dreamfold/core';
import type { Log } from '@dreamfold/log';
import { operator } from '../operator.ts';

/** A person's word on a call; without `by` it is that of the operating system's user. */
export type GivenConfirmation = Omit<Confirmation, 'by'> & { by?: string };

/**
 * Records a word on a call. Once its turn is over the state does not know the call any more: then the log says whether somebody was faster.
 * @throws DreamfoldError approval_already_used, and what `record` throws
 */
export async function confirmOn(
  log: Log,
  { sessionId, given }: { sessionId: string; given: GivenConfirmation },
  record: (confirmation: Confirmation) => Promise<unknown>,
): Promise<void> {
  const { toolUseId } = given;
  try {
    await record({ ...given, by: given.by ?? operator() });
  } catch (error) {
    if (!isDreamfoldError(error, 'approval_not_found')) throw error;
    for await (const batch of log.read(streamOf('session', sessionId))) {
      for (const event of batch) {
        const known = knownEvent(event);
        if (known?.type !== 'user.tool_confirmation' || known.data?.tool_use_id !== toolUseId) continue;
        throw new DreamfoldError('approval_already_used', `The call ${toolUseId} was decided before, by ${event.actor}`, {
          path: 'call',
          value: toolUseId,
          remedy: 'Nothing to do: an approval counts once.',
          cause: error,
        });
      }
    }
    throw error;
  }
}
