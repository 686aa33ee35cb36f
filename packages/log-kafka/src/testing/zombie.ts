import { setTimeout as pause } from 'node:timers/promises';
import type { KafkaLog } from '../kafka-log.ts';
import { claimStream } from './load.ts';
import type { NodeProcess } from './node-process.ts';

/** What became of the writes of an owner that hung while another took its stream over. */
export interface Zombie {
  /** Error codes: of its next append, and then of some that it made on the head that it had read again. */
  code: unknown;
  onNewestHead: unknown[];
  /** What it was told that it wrote, and is not there below the claim that followed. */
  lost: number[];
  /** Events above that claim that were not written under it. */
  late: number[];
}

/**
 * Lets a process own a stream and write to it, holds it in the middle of that, takes the stream over, and lets it go on.
 * @param owner has nothing else to do
 * @param aliveMs for how long it writes before
 */
export async function outlive(
  log: KafkaLog,
  owner: NodeProcess,
  { stream, aliveMs, heldMs }: { stream: string; aliveMs: number; heldMs: number },
): Promise<Zombie> {
  owner.send({ do: 'own', stream, name: stream.replace('/', '.') });
  const { epoch } = await owner.next('claimed');
  await owner.next('owned');
  await pause(aliveMs);
  owner.suspend();
  await pause(heldMs);
  const own = await claimStream(log, stream);
  const { seq: claimedAt } = await log.head(stream);
  for (let k = 1; k <= 3; k += 1) await appendAsOwner(log, { stream, id: `after.${k}`, epoch: own });
  owner.resume();
  const { code, onNewestHead } = await owner.next('refused');
  await appendAsOwner(log, { stream, id: 'after.4', epoch: own });
  const owned = owner.taken('owned').map(({ seq }) => seq);
  const there = await epochsOf(log, stream);
  return {
    code,
    onNewestHead,
    lost: owned.filter((seq) => seq >= claimedAt || there[seq - 1] !== epoch),
    late: there.flatMap((at, i) => (i + 1 >= claimedAt && at !== own ? [i + 1] : [])),
  };
}

async function appendAsOwner(log: KafkaLog, { stream, id, epoch }: { stream: string; id: string; epoch: number }): Promise<void> {
  const data = { content: [{ type: 'text', text: id }] };
  const { seq } = await log.head(stream);
  await log.append({ stream, id, expected: seq, epoch, events: [{ type: 'agent.message', data, class: 'owner', actor: 'sthr_2' }] });
}

/** The epoch under which each event of a stream was written. */
async function epochsOf(log: KafkaLog, stream: string): Promise<number[]> {
  const epochs: number[] = [];
  for await (const events of log.archive.readStored(stream)) epochs.push(...events.map(({ epoch }) => epoch));
  return epochs;
}
