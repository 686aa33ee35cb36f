// One worker, in a process of its own: started by workers.ts with the address of the log and a directory for its replica.
import { agent, open, tool } from 'dreamfold';
import { z } from 'zod';

/** What workers.ts says. */
export type WorkerRequest = 'let_go' | 'hold' | 'measure' | 'end';
export type WorkerMessage =
  | { type: 'partitions'; count: number }
  /** Sessions that are in the middle of a tool call now, and those that have come to rest so far. */
  | { type: 'sessions'; held: number; rested: number }
  | { type: 'memory'; heapKiB: number; rssMiB: number };

/** More than comes to one of two workers by chance. */
const CONCURRENCY = 10_000;
const COLLECTIONS = 6;
/** Between two words about sessions. */
const TELL_MS = 50;

const [url, directory] = process.argv.slice(2) as [string, string];
let rested = 0;
let isHeld = true;
const held = new Set<() => void>();

const hold = tool({
  name: 'hold',
  description: 'Waits until it is let go of.',
  input: z.object({}),
  effect: 'pure',
  timeoutMs: 600_000,
  run: () => (isHeld ? new Promise<void>((resolve) => void held.add(resolve)) : undefined),
});

function liveHeapKiB(): number {
  if (globalThis.gc === undefined) throw new TypeError('the process of a worker needs --expose-gc');
  for (let i = 0; i < COLLECTIONS; i += 1) globalThis.gc();
  return process.memoryUsage().heapUsed / 1024;
}

function tell(message: WorkerMessage): void {
  process.send!(message);
}

const dreamfold = await open({ log: url, directory });
const telling = setInterval(() => tell({ type: 'sessions', held: held.size, rested }), TELL_MS);
process.on('message', (request: WorkerRequest) => {
  switch (request) {
    case 'let_go':
      isHeld = false;
      for (const resolve of held) resolve();
      held.clear();
      break;
    case 'hold':
      isHeld = true;
      break;
    case 'measure':
      tell({ type: 'memory', heapKiB: liveHeapKiB(), rssMiB: process.memoryUsage().rss / 2 ** 20 });
      break;
    case 'end':
      clearInterval(telling);
      void dreamfold.close().then(() => process.disconnect());
      break;
  }
});
await dreamfold.work({
  teams: [{ lead: agent({ name: 'holder', system: 'Hold.', tools: [hold] }) }],
  concurrency: CONCURRENCY,
  onNews: (news) => {
    if (news.type === 'assigned') tell({ type: 'partitions', count: news.partitions.length });
    if (news.type === 'rested') rested += 1;
    if (news.type === 'failed' || news.type === 'left') throw news.error;
  },
});
