import { createHash } from 'node:crypto';
import { blobsNamedBy, DreamfoldError, streamOf } from '@dreamfold/events';
import { encodeExportLine, EXPORT_VERSION, type ExportLine } from '@dreamfold/core';
import { erasedBy, missingPayloads, type Log, type MissingPayload, type StreamInfo } from '@dreamfold/log';
import { loadSession } from '../session/load-session.ts';

/** A payload, or a blob that an event names, which is not on the log although nothing there says why. */
export interface ExportAbsence {
  stream: string;
  seq: number;
  /** Its sha-256, when the blob is what is missing. */
  blob?: string;
}

export interface ExportRequest {
  /** Ids of sessions, with the memory stores that they were given. Left out: everything on the log. */
  sessions?: readonly string[];
  /** Goes on without what is missing, instead of ending there. */
  allowMissing?: boolean;
  /** Told of each thing that is missing, when that is allowed. */
  onMissing?: (absent: ExportAbsence) => void;
  onProgress?: (done: number, total: number) => void;
}

/**
 * What is on the log as lines of text, each with its line break: events byte for byte, then the blobs that they name.
 * Events that are appended meanwhile are left out. `importSessions` reads it.
 * @throws DreamfoldError not_found, payload_missing (also in the middle: what was written until then has no last line)
 */
export async function* exportStreams(log: Log, request: ExportRequest = {}): AsyncGenerator<string, void, undefined> {
  const { sessions, onProgress } = request;
  const streams = sessions === undefined ? await everything(log) : await withMemory(log, sessions);
  const events = streams.reduce((sum, { head }) => sum + head.seq, 0);
  const digest = createHash('sha256');
  const line = (value: ExportLine): string => {
    const text = `${encodeExportLine(value)}\n`;
    digest.update(text);
    return text;
  };
  yield line({ kind: 'header', dreamfold_export: EXPORT_VERSION, log_id: log.logId, streams: streams.length, events });
  const missing = new Map((await missingPayloads(log)).map((one) => [`${one.stream}#${one.seq}`, one]));
  const skipped: MissingPayload[] = [];
  /** The first event that names each. */
  const blobs = new Map<string, { stream: string; seq: number }>();
  let done = 0;
  for (const { stream, head } of streams) {
    const hidden = new Map<string, number>();
    for await (const batch of log.archive.readStored(stream, { to: head.seq })) {
      for (const event of batch) {
        const { id, seq } = event;
        if (event.data === null) hidden.set(id, seq);
        for (const erased of erasedBy(event)) hidden.delete(erased);
        for (const sha256 of blobsNamedBy(event)) if (!blobs.has(sha256)) blobs.set(sha256, { stream, seq });
        yield line({ kind: 'event', event });
      }
      done += batch.length;
      onProgress?.(done, events);
    }
    for (const seq of hidden.values()) {
      const known = missing.get(`${stream}#${seq}`);
      if (known === undefined) tellAbsent({ stream, seq }, request);
      else skipped.push(known);
    }
  }
  for (const { stream, seq, reason } of skipped) yield line({ kind: 'missing', missing: stream, seq, reason });
  let written = 0;
  for (const [sha256, named] of blobs) {
    const bytes = await log.blobs.get(sha256);
    if (bytes === null) {
      tellAbsent({ ...named, blob: sha256 }, request);
      continue;
    }
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

/** What nothing on the log explains. @throws DreamfoldError payload_missing, unless it is allowed */
function tellAbsent(absent: ExportAbsence, { allowMissing = false, onMissing }: ExportRequest): void {
  if (allowMissing) return onMissing?.(absent);
  const { stream, seq, blob } = absent;
  const what = blob === undefined ? 'the payload' : `the blob ${blob}`;
  throw new DreamfoldError('payload_missing', `An export would lack ${what} of ${stream}#${seq}, and nothing on the log says why`, {
    path: `${stream}#${seq}`,
    value: blob,
    remedy: 'Run `dreamfold verify`, and restore what it names from a copy. To export what is left all the same: --allow-missing.',
  });
}
