import type net from 'node:net';
import { authenticate } from './authenticate.ts';
import { AnswerReader } from './answer-reader.ts';
import { RequestWriter } from './request-writer.ts';
import type { ClientConfig } from '../client-config.ts';
import { MAX_ANSWER_BYTES, openSocket, type SocketPlace } from '../socket.ts';

/** A broker that has not let us in after so long does not answer. */
const CONNECT_TIMEOUT_MS = 3_000;
/** Of the time that a login lasts. */
const LOGIN_USED = 0.8;

/** Number and version of a request, how its body is written, and what its answer says. */
export interface Call<Answer> {
  api: number;
  version: number;
  write: (body: RequestWriter) => void;
  /** Bytes that stand after the body, too many to be copied into it. */
  tail?: Uint8Array;
  read: (answer: AnswerReader) => Answer;
  timeoutMs: number;
}

interface Waiting {
  correlation: number;
  settle: (answer: AnswerReader) => void;
  fail: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/**
 * A connection to one broker, on which requests are answered in their order. After a failure, and when an answer is late, it is
 * closed: what was asked and not answered fails, and may have been done.
 */
export class Connection {
  readonly #socket: net.Socket;
  readonly #clientId: string;
  readonly #waiting: Waiting[] = [];
  #loginEndsAt = Infinity;
  #correlation = 0;
  #answer: Buffer = Buffer.alloc(4);
  #filled = 0;
  #isLength = true;
  #failure: Error | null = null;
  #retired = false;

  private constructor(socket: net.Socket, clientId: string) {
    this.#socket = socket;
    this.#clientId = clientId;
    socket.on('data', (data: Buffer) => this.#onData(data));
    socket.on('error', (error) => this.close(error));
    socket.on('close', () => this.close(new Error('the connection was closed')));
  }

  /**
   * @param address `host:port`, an IPv6 address in brackets
   * @throws Error when nobody answers in time, or lets us in
   */
  static async open(address: string, config: ClientConfig, signal: AbortSignal): Promise<Connection> {
    const connected = Promise.withResolvers<void>();
    const socket = openSocket(placeOf(address, config), connected.resolve);
    // Also later: an error that nobody hears ends the process.
    socket.on('error', connected.reject);
    const abort = (): void => void socket.destroy(new Error('the client is closed'));
    const late = setTimeout(() => socket.destroy(new Error(`no answer of ${address} in time`)), CONNECT_TIMEOUT_MS);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      await connected.promise;
      const connection = new Connection(socket, config.clientId);
      if (config.sasl !== undefined) {
        const lastsMs = await authenticate(connection, config.sasl, CONNECT_TIMEOUT_MS);
        if (lastsMs > 0) connection.#loginEndsAt = performance.now() + lastsMs * LOGIN_USED;
      }
      return connection;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', abort);
    }
  }

  get isOpen(): boolean {
    return this.#failure === null && !this.#retired && performance.now() < this.#loginEndsAt;
  }

  /** @throws Error when it was closed before there was an answer, or the answer can't be read; BrokerError as `read` does */
  async ask<Answer>(call: Call<Answer>): Promise<Answer> {
    if (this.#failure !== null) throw this.#failure;
    const correlation = (this.#correlation = (this.#correlation + 1) % 2 ** 31);
    const { promise, resolve, reject } = Promise.withResolvers<AnswerReader>();
    const timer = setTimeout(() => this.close(new Error('no answer in time')), call.timeoutMs);
    this.#waiting.push({ correlation, settle: resolve, fail: reject, timer });
    this.#send(call, correlation);
    return call.read(await promise);
  }

  #send({ api, version, write, tail }: Call<unknown>, correlation: number): void {
    const request = new RequestWriter().int32(0).int16(api).int16(version).int32(correlation).string(this.#clientId);
    write(request);
    const { bytes } = request;
    bytes.writeInt32BE(bytes.length - 4 + (tail?.length ?? 0), 0);
    if (tail === undefined) {
      this.#socket.write(bytes);
      return;
    }
    this.#socket.cork();
    this.#socket.write(bytes);
    this.#socket.write(tail);
    this.#socket.uncork();
  }

  /** It gets no new requests, and is closed when the last has its answer. */
  retire(): void {
    this.#retired = true;
    if (this.#waiting.length === 0) this.close(new Error('the client is closed'));
  }

  close(error: Error): void {
    this.#failure ??= error;
    this.#socket.destroy();
    for (const { fail, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      fail(this.#failure);
    }
  }

  /** An answer is its length in four bytes, the number of its request, and what the request wanted to know. */
  #onData(data: Buffer): void {
    for (let at = 0; at < data.length && this.#failure === null;) {
      const copied = data.copy(this.#answer, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled === this.#answer.length) this.#onFilled();
    }
  }

  #onFilled(): void {
    const filled = this.#answer;
    const length = this.#isLength ? filled.readInt32BE(0) : 4;
    const first = this.#waiting[0];
    if (length < 4 || length > MAX_ANSWER_BYTES || first === undefined) return this.close(new Error('what answers is not Kafka'));
    this.#answer = this.#isLength ? Buffer.allocUnsafe(length) : Buffer.allocUnsafe(4);
    this.#filled = 0;
    this.#isLength = !this.#isLength;
    if (!this.#isLength) return;
    if (filled.readInt32BE(0) !== first.correlation) return this.close(new Error('what answers is not Kafka'));
    this.#waiting.shift();
    clearTimeout(first.timer);
    first.settle(new AnswerReader(filled, 4));
    if (this.#retired && this.#waiting.length === 0) this.close(new Error('the client is closed'));
  }
}

/** @param address as {@link Connection.open} takes it */
function placeOf(address: string, { ssl }: ClientConfig): SocketPlace {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(colon + 1)), ssl };
}
