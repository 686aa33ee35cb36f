import type { Log } from '@dreamfold/log';

/** The streams of a kind, by the time of their first event. Those of one partition stand in the order of the log. */
export async function* streamsByAge(log: Log, kind: string): AsyncGenerator<string, void, undefined> {
  if (log.capabilities.partitions === 1) {
    for await (const batch of log.streams(kind)) for (const { stream } of batch) yield stream;
    return;
  }
  const begun: { stream: string; time: number }[] = [];
  for await (const batch of log.streams(kind)) {
    for (const { stream } of batch) {
      for await (const [first] of log.read(stream, { to: 1 })) begun.push({ stream, time: first!.time });
    }
  }
  begun.sort((a, b) => a.time - b.time);
  for (const { stream } of begun) yield stream;
}
