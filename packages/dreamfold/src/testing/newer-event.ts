import { createHash } from 'node:crypto';
import { hashInput, type StoredEvent } from '@dreamfold/events';
import type { Log } from '@dreamfold/log';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Adds an event to a stream as somebody with a newer Dreamfold would. */
export async function addNewerEvent(log: Log, stream: string): Promise<void> {
  const { seq, hash: prev } = await log.head(stream);
  const data = '{}';
  const id = `newer${seq}`;
  const event: StoredEvent = {
    stream,
    seq: seq + 1,
    id,
    time: Date.now(),
    prev,
    hash: '',
    type: 'user.message',
    v: 99,
    class: 'open',
    epoch: 0,
    append: { id, i: 0, n: 1 },
    writer: 'w_newer',
    causation: null,
    correlation: null,
    actor: 'user',
    dataHash: sha256(data),
    data,
  };
  await log.archive.restore([{ ...event, hash: sha256(hashInput(event)) }]);
}
