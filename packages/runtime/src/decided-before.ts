import { DreamfoldError, isDreamfoldError, knownEvent, streamOf } from '@dreamfold/events';
import type { Log } from '@dreamfold/log';

/**
 * Records a word on a call. Once its turn is over the state does not know the call any more: then the log says whether somebody was faster.
 * @throws DreamfoldError approval_already_used, and what `record` throws
 */
export async function unlessDecided<T>(
  log: Log,
  { sessionId, toolUseId }: { sessionId: string; toolUseId: string },
  record: () => Promise<T>,
): Promise<T> {
  try {
    return await record();
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
