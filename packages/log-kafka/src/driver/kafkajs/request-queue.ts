import { createRequire } from 'node:module';

interface RequestQueue {
  pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}

let mended = false;

/**
 * After its first answer, each connection of kafkajs 2.2.4 looks for waiting requests once a millisecond for as long as it lives, also
 * when none waits: a twentieth of a core for an idle consumer. It does so with a negative delay, of which Node 24 warns. Who makes a
 * request wait sets that timer itself.
 */
export function mendRequestQueue(): void {
  if (mended) return;
  mended = true;
  // There is no other way to it. The version is pinned.
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function scheduleWhenPending(this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
