import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import type { Envelope, StoredEvent } from '@dreamfold/events';
import type { PartitionRecord } from '@dreamfold/log/backend';
import { headerOf, type DriverRecord, type FetchedRecord, type HeaderValue } from '../driver/driver.ts';
import { openPayload, sealPayload } from '../erasure/seal.ts';

// A record of the events' topic:
//
//   key            the stream
//   df_envelope    the envelope, as the JSON that envelopeText makes of it
//   value          the payload's text, or what it was sealed to
//   df_seal        of a sealed payload: the id of its key, which holds the digest of its root, and a digest that binds envelope, key id
//                  and value
//   ce_*, content-type, traceparent    follow from the envelope, for other tools; nothing here reads them
//
// Whether a record is intact follows from the first four alone, without any key: every reader comes to the same answer, also
// one that cannot open a payload. Each of the four has one way to be written, so that no byte of them can change unseen.

/** Neither envelope nor seal is ever longer: at most twelve fields of some 200 characters, of four bytes each. */
const MAX_HEADER_BYTES = 16 * 1024;

/** CloudEvents writes times as RFC 3339, which ends with the year 9999. */
const MAX_RFC3339_MS = 253_402_300_799_999;

/** The key that a payload is sealed with. */
export interface SealingKey {
  /** Names the tree that it comes from: `<stream> <digest of its root>`. */
  id: string;
  key: Uint8Array;
}

interface Seal {
  /** Null for a payload that was erased before it came to this log: there is nothing to open. */
  key: string | null;
  /** sha-256 of envelope hash, key id and value. */
  digest: string;
}

/** @param options.seal the key for the payload, where the log is one with erasure */
export function encodeRecord(event: StoredEvent, { logId, seal }: { logId: string; seal?: SealingKey }): DriverRecord {
  const headers: Record<string, string> = { df_envelope: envelopeText(event) };
  let value: Uint8Array;
  if (event.data !== null && seal === undefined) {
    value = Buffer.from(event.data);
  } else {
    value = event.data === null ? new Uint8Array() : sealPayload(event.data, { key: seal!.key, envelopeHash: event.hash });
    const key = event.data === null ? null : seal!.id;
    headers['df_seal'] = sealText({ key, digest: sealDigest(event.hash, key, value) });
  }
  addCloudEvent(headers, event, logId);
  return { key: event.stream, value, headers };
}

/** CloudEvents 1.0.2, Kafka protocol binding 1.0.2, binary content mode; and W3C trace context. */
function addCloudEvent(headers: Record<string, string>, event: Envelope, logId: string): void {
  headers['ce_specversion'] = '1.0';
  headers['ce_id'] = event.id;
  headers['ce_source'] = `/dreamfold/${logId}/${event.stream}`;
  headers['ce_type'] = event.type;
  headers['ce_subject'] = event.stream;
  if (event.time <= MAX_RFC3339_MS) headers['ce_time'] = new Date(event.time).toISOString();
  headers['content-type'] = headers['df_seal'] === undefined ? 'application/json' : 'application/octet-stream';
  headers['traceparent'] =
    `00-${traceOf(event.correlation ?? event.stream)}-${hash('sha256', `${event.stream}#${event.id}`).slice(0, 16)}-01`;
}

let lastTrace = { of: '', id: '' };

/** The events of an append are of one trace. */
function traceOf(request: string): string {
  if (lastTrace.of !== request) lastTrace = { of: request, id: hash('sha256', request).slice(0, 32) };
  return lastTrace.id;
}

/** The one way to write an envelope. Fields that it has not, or has beyond these, do not come through. */
function envelopeText(e: Envelope): string {
  const { i, n } = e.append;
  return JSON.stringify({
    stream: e.stream,
    seq: e.seq,
    id: e.id,
    time: e.time,
    prev: e.prev,
    hash: e.hash,
    type: e.type,
    v: e.v,
    class: e.class,
    epoch: e.epoch,
    append: { id: e.append.id, i, n },
    writer: e.writer,
    causation: e.causation,
    correlation: e.correlation,
    actor: e.actor,
    dataHash: e.dataHash,
  });
}

function sealText({ key, digest }: Seal): string {
  return JSON.stringify({ key, digest });
}

/** What is hashed is put together here: a buffer for each would take as long as the hash. */
const SCRATCH = Buffer.alloc(16 * 1024);

function sealDigest(envelopeHash: string, keyId: string | null, value: Uint8Array): string {
  const begin = `${envelopeHash}\n${keyId ?? ''}\n`;
  const beginBytes = Buffer.byteLength(begin);
  const size = beginBytes + value.length;
  const bytes = size <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafe(size);
  bytes.write(begin);
  bytes.set(value, beginBytes);
  return hash('sha256', bytes.subarray(0, size), 'base64url');
}

/**
 * What the rule judges of a record, whatever its bytes are: a stored event, or null for what is none.
 * @param options.keyOf the key of the event `seq` in a tree, null when it is not known or was destroyed. Asked when `payload` is read
 */
export function decodeRecord(
  fetched: FetchedRecord,
  options: { keyOf?: (keyId: string, seq: number) => Uint8Array | null } = {},
): DecodedRecord {
  return new DecodedRecord(fetched, options.keyOf ?? (() => null));
}

/** Its text and its payload are made when they are asked for: most records need neither. */
export class DecodedRecord implements PartitionRecord {
  readonly offset: number;
  readonly term: number;
  readonly record: StoredEvent | null;
  /** The id of the key that opens its payload, null when it needs none. */
  readonly keyId: string | null;
  readonly #fetched: FetchedRecord;
  readonly #keyOf: (keyId: string, seq: number) => Uint8Array | null;

  constructor(fetched: FetchedRecord, keyOf: (keyId: string, seq: number) => Uint8Array | null) {
    this.offset = fetched.offset;
    this.term = fetched.term;
    const seal = readSeal(headerOf(fetched, 'df_seal'));
    this.record = readEvent(fetched, seal);
    this.keyId = this.record === null || seal === null ? null : seal.key;
    this.#fetched = fetched;
    this.#keyOf = keyOf;
  }

  get bytes(): string {
    return recordText(this.#fetched);
  }

  get payload(): string | null {
    const key = this.keyId === null ? null : this.#keyOf(this.keyId, this.record!.seq);
    const payload = key === null ? null : openPayload(this.#fetched.value!, { key, envelopeHash: this.record!.hash });
    return payload !== null && isJson(payload) ? payload : null;
  }
}

function readEvent(fetched: FetchedRecord, seal: Seal | null): StoredEvent | null {
  const { key, value } = fetched;
  const envelope = readEnvelope(headerOf(fetched, 'df_envelope'));
  if (envelope === null || key === null || value === null || textOf(key) !== envelope.stream) return null;
  if (seal !== null) return fits(seal, envelope, value) ? { ...envelope, data: null } : null;
  const data = headerOf(fetched, 'df_seal') === undefined ? textOf(value) : null;
  return data !== null && isJson(data) ? { ...envelope, data } : null;
}

/** An envelope is checked by the rule; here, that it is written in the one way there is. */
function readEnvelope(header: HeaderValue | undefined): Envelope | null {
  const text = headerText(header);
  if (text === null) return null;
  try {
    const envelope = JSON.parse(text) as Envelope;
    return envelopeText(envelope) === text ? envelope : null;
  } catch {
    // No JSON, or none that has an `append`.
    return null;
  }
}

/** What {@link sealText} writes of ids that need no escapes: {@link fits} takes no others. */
const SEAL = /^\{"key":(?:null|"([^"\\]+)"),"digest":"([^"\\]*)"\}$/;

function readSeal(header: HeaderValue | undefined): Seal | null {
  const text = headerText(header);
  const seal = text === null ? null : SEAL.exec(text);
  return seal === null ? null : { key: seal[1] ?? null, digest: seal[2]! };
}

/** The id of the key that the payload of a record was sealed with, null for one that was not. */
export function keyIdOf({ headers }: DriverRecord): string | null {
  return SEAL.exec(headers['df_seal'] ?? '')?.[1] ?? null;
}

/** A payload is sealed under a key of its own stream, so that erasing it there destroys it; without a key there is no payload. */
function fits(seal: Seal, envelope: Envelope, value: Uint8Array): boolean {
  const { stream } = envelope;
  const owned =
    seal.key === null ? value.length === 0 : seal.key.startsWith(`${stream} `) && /^[\w-]{22}$/.test(seal.key.slice(stream.length + 1));
  return owned && seal.digest === sealDigest(envelope.hash, seal.key, value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function headerText(header: HeaderValue | undefined): string | null {
  return header instanceof Uint8Array && header.length <= MAX_HEADER_BYTES ? textOf(header) : null;
}

/** Bytes as the text that gives them back, null where there is none. */
export function textOf(bytes: Uint8Array): string | null {
  if (!isUtf8(bytes)) return null;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/**
 * A whole record as one text, from which its bytes can be made again: `{key, value, headers}` with text as it is and other bytes as
 * `{"base64": …}`. Headers stand in the order of their names, whatever client has read them.
 */
export function recordText({ key, value, headers }: FetchedRecord): string {
  const names = Object.keys(headers).sort();
  return JSON.stringify({ key: readable(key), value: readable(value), headers: names.map((name) => [name, readable(headers[name]!)]) });
}

type Readable = string | null | { base64: string } | Readable[];

function readable(bytes: HeaderValue): Readable {
  if (bytes === null) return null;
  if (!(bytes instanceof Uint8Array)) return bytes.map(readable);
  return textOf(bytes) ?? { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') };
}
