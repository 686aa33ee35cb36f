import { DreamfoldError, Envelope, parseJson, type StoredEvent } from '@dreamfold/events';
import { z } from 'zod';
import { checkRow, rowError } from './row-error.ts';

/** The version of the file that is written. Since 2 the last line holds a digest of those before it, since 3 it says what was missing before. */
export const EXPORT_VERSION = 3;

/** The first line: what the file holds, so that a file cut short is noticed. */
export const ExportHeader = z.strictObject({
  dreamfold_export: z.int().positive(),
  log_id: z.string().min(1),
  streams: z.int().nonnegative(),
  events: z.int().nonnegative(),
});
export type ExportHeader = z.infer<typeof ExportHeader>;

/** An event whose payload its own log was never given, and why: see `log.import_skipped`. These lines stand after the events. */
const ExportMissing = z.strictObject({ missing: z.string().min(1), seq: z.int().positive(), reason: z.string() });

/** The bytes that an event names. They stand after the events. */
export const ExportBlob = z.strictObject({ blob: z.string().min(1), base64: z.base64() });
export type ExportBlob = z.infer<typeof ExportBlob>;

/** The last line. Blobs are found while the events are written, so they are counted here. */
export const ExportEnd = z.strictObject({
  dreamfold_export_end: z.literal(true),
  blobs: z.int().nonnegative(),
  /** Of all lines before this one, each with \n, in hexadecimal. It shows damage, not authorship: anyone can hash. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
export type ExportEnd = z.infer<typeof ExportEnd>;

/** An event as it is stored: `data` is the text that was hashed, null once it is erased. */
const ExportEvent = Envelope.extend({ data: z.string().nullable() });

export type ExportLine =
  | ({ kind: 'header' } & ExportHeader)
  | { kind: 'event'; event: StoredEvent }
  | ({ kind: 'missing' } & z.infer<typeof ExportMissing>)
  | ({ kind: 'blob' } & ExportBlob)
  | ({ kind: 'end' } & ExportEnd);

/** One line, without its line break. */
export function encodeExportLine(line: ExportLine): string {
  if (line.kind === 'event') return JSON.stringify(line.event);
  const { kind: _, ...value } = line;
  return JSON.stringify(value);
}

/** A blob stands in one line, so lines may be long. */
const LINE_LIMITS = { maxBytes: 512 * 1024 * 1024, maxDepth: 8, maxKeys: 100 };
const UNKNOWN: ExportHeader = { dreamfold_export: 1, log_id: '', streams: -1, events: -1 };
const REMEDY = 'Export again: this line is not as `dreamfold export` writes it.';

/**
 * Reads an export line by line. Hashes and chains are not looked at: `log.restore` does, a blob's hash shows when its bytes
 * are stored, and the digest is for whoever reads the bytes.
 */
export class ExportReader {
  readonly #source: string;
  #row = 0;
  #header: ExportHeader | null = null;
  #events = 0;
  #blobs = 0;
  readonly #streams = new Set<string>();
  #ended = false;

  /** @param source names the file in errors */
  constructor(source: string) {
    this.#source = source;
  }

  /**
   * @param text the next line
   * @throws DreamfoldError invalid_import, unsupported_schema_version, and those of parseJson, with `file:row` as path
   */
  read(text: string): ExportLine {
    this.#row += 1;
    const at = `${this.#source}:${this.#row}`;
    const value = parseJson(text, at, LINE_LIMITS);
    if (this.#header === null) return this.#begin(value, at);
    if (this.#ended)
      throw rowError(at, 'a line follows the last one', { value: text, remedy: 'Import each export from a file of its own.' });
    const keys: object = typeof value === 'object' && value !== null ? value : {};
    if ('dreamfold_export_end' in keys) return this.#end(value, at);
    if ('missing' in keys) return { kind: 'missing', ...checkRow(ExportMissing, value, { at, remedy: REMEDY }) };
    if ('blob' in keys) {
      this.#blobs += 1;
      return { kind: 'blob', ...checkRow(ExportBlob, value, { at, remedy: REMEDY }) };
    }
    const event = checkRow(ExportEvent, value, { at, remedy: REMEDY });
    this.#events += 1;
    this.#streams.add(event.stream);
    return { kind: 'event', event };
  }

  /**
   * Call it after the last line.
   * @throws DreamfoldError invalid_import when the file is empty or was cut short
   */
  finish(): void {
    if (this.#ended) return;
    const message =
      this.#header === null
        ? 'the file is empty'
        : `the file was cut short: it holds ${this.#events}${this.#header === UNKNOWN ? '' : ` of ${this.#header.events}`} events and no last line`;
    throw rowError(`${this.#source}:${this.#row + 1}`, message, { remedy: 'Copy or export the file again.' });
  }

  /** Reads on after a first line that is no header: nothing is known of how much there is to be. */
  goOn(): void {
    this.#header = UNKNOWN;
  }

  #begin(value: unknown, at: string): ExportLine {
    const version = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)['dreamfold_export'] : undefined;
    if (typeof version === 'number' && version > EXPORT_VERSION) {
      throw new DreamfoldError(
        'unsupported_schema_version',
        `${at}: the export has version ${version}; this code reads ${EXPORT_VERSION}`,
        {
          path: at,
          value: version,
          remedy: 'Import it with the Dreamfold that exported it, or a newer one.',
        },
      );
    }
    if (version === undefined) {
      throw rowError(at, 'the file does not begin with the header of an export', {
        value,
        remedy: 'Give a file that `dreamfold export` wrote, or name the format of this one with --format.',
      });
    }
    this.#header = checkRow(ExportHeader, value, { at, remedy: REMEDY });
    return { kind: 'header', ...this.#header };
  }

  #end(value: unknown, at: string): ExportLine {
    const end = checkRow(ExportEnd, value, { at, remedy: REMEDY });
    const { events, streams } = this.#header!;
    if (this.#header!.dreamfold_export > 1 && end.sha256 === undefined) {
      throw rowError(at, 'the last line has no digest', { value: end, remedy: REMEDY });
    }
    this.#ended = true;
    const found = { events: this.#events, streams: this.#streams.size, blobs: this.#blobs };
    const isKnown = this.#header !== UNKNOWN;
    if ((isKnown && (found.events !== events || found.streams !== streams)) || found.blobs !== end.blobs) {
      throw rowError(
        at,
        `lines are missing or too many: ${found.events} of ${events} events, ${found.streams} of ${streams} streams, ${found.blobs} of ${end.blobs} blobs`,
        { remedy: 'Copy or export the file again.' },
      );
    }
    return { kind: 'end', ...end };
  }
}
