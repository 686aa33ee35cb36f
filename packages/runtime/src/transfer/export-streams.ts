import { createHash } from 'node:crypto';
import { Content, streamOf, type StoredEvent } from '@dreamfold/events';
import { blobsIn, encodeExportLine, EXPORT_VERSION, type ExportLine } from '@dreamfold/core';
import type { Log, StreamInfo } from '@dreamfold/log';
import { loadSession } from '../session/load-session.ts';

export interface ExportRequest {
  /** Ids of sessions, with the memory stores that they were given. Left out: everything on the log. */
  sessions?: readonly string[];
  onProgress?: (done: number, total: number) => void;
}

/**
 * What is on the log as lines of text, each with its line break: events byte for byte, then the blobs that they name.
 * Events that are appended meanwhile are left out. `importSessions` reads it.
 * @throws DreamfoldError not_found
 */
export async function* exportStreams(log: Log, { sessions, onProgress }: ExportRequest = {}): AsyncGenerator<string, void, undefined> {
  const streams = sessions === undefined ? await everything(log) : await withMemory(log, sessions);
  const events = streams.reduce((sum, { head }) => sum + head.seq, 0);
  const digest = createHash('sha256');
  const line = (value: ExportLine): string => {
    const text = `${encodeExportLine(value)}\n`;
    digest.update(text);
    return text;
  };
  yield line({ kind: 'header', dreamfold_export: EXPORT_VERSION, log_id: log.logId, streams: streams.length, events });
  const blobs = new Set<string>();
  let done = 0;
  for (const { stream, head } of streams) {
    for await (const batch of log.archive.readStored(stream, { to: head.seq })) {
      for (const event of batch) {
        for (const sha256 of blobsOf(event)) blobs.add(sha256);
        yield line({ kind: 'event', event });
      }
      done += batch.length;
      onProgress?.(done, events);
    }
  }
  let written = 0;
  for (const sha256 of blobs) {
    const bytes = await log.blobs.get(sha256);
    if (bytes === null) continue;
    written += 1;
    yield line({ kind: 'blob', blob: sha256, base64: Buffer.from(bytes).toString('base64') });
  }
  yield `${encodeExportLine({ kind: 'end', dreamfold_export_end: true, blobs: written, sha256: digest.digest('hex') })}\n`;
}

/** The log's own stream names this log, so it stays. */
async function everything(log: Log): Promise<StreamInfo[]> {
  const streams: StreamInfo[] = [];
  for await (const batch of log.streams()) streams.push(...batch.filter(({ stream }) => !stream.startsWith('log/')));
  return streams;
}

async function withMemory(log: Log, sessions: readonly string[]): Promise<StreamInfo[]> {
  const names = new Set<string>();
  for (const id of sessions) {
    const { memory } = await loadSession(log, id);
    for (const { store } of memory) names.add(streamOf('memory', store));
  }
  for (const id of sessions) names.add(streamOf('session', id));
  return Promise.all([...names].map(async (stream) => ({ stream, head: await log.head(stream) })));
}

/** Content of any version: `df_blob` stood beside it in the first one of a tool result. */
function blobsOf({ type, data }: StoredEvent): string[] {
  if (!HAVE_CONTENT.has(type) || data === null || !/"(?:df_blob|blob)"/.test(data)) return [];
  const { content, df_blob } = JSON.parse(data) as { content?: unknown; df_blob?: { sha256: string } };
  const read = Content.safeParse(content);
  return [...(df_blob === undefined ? [] : [df_blob.sha256]), ...(read.success ? blobsIn(read.data) : [])];
}

const HAVE_CONTENT: ReadonlySet<string> = new Set([
  'user.message',
  'agent.message',
  'agent.tool_result',
  'agent.thread_message_sent',
  'agent.thread_message_received',
]);
