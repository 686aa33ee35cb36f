import type net from 'node:net';
import { Kafka, logLevel, type ISocketFactory, type SASLOptions } from 'kafkajs';
import { REQUEST_TIMEOUT_MS, type ClientConfig } from '../client-config.ts';
import { MAX_ANSWER_BYTES, openSocket } from '../socket.ts';

/** A kafkajs instance whose sockets can be taken away from it at once. */
export interface Client {
  readonly kafka: Kafka;
  /** Ends all requests, sockets and timers now, and lets it open no others. */
  destroy(): void;
}

const SOCKET_TIMEOUT_MS = 3_000;

export function openClient(config: ClientConfig): Client {
  const sockets = new Set<net.Socket>();
  let destroyed = false;
  const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (destroyed) throw new Error('the client is closed');
    const socket = openSocket({ host, port, ssl }, onConnect);
    guardReading(socket);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const kafka = new Kafka({
    brokers: [...config.brokers],
    ...(config.ssl === undefined ? {} : { ssl: config.ssl }),
    // kafkajs keeps the first password that it sees in the object it is given, also for who spreads that object later.
    ...(config.sasl === undefined ? {} : { sasl: { ...config.sasl } as SASLOptions }),
    clientId: config.clientId,
    connectionTimeout: SOCKET_TIMEOUT_MS,
    authenticationTimeout: SOCKET_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Enough to try each address; who calls decides whether to try again.
    retry: { retries: Math.max(2, config.brokers.length), initialRetryTime: 100, maxRetryTime: 500 },
    logLevel: logLevel.NOTHING,
    socketFactory,
  });
  return {
    kafka,
    destroy: () => {
      destroyed = true;
      // kafkajs rejects what is pending, and stops its timers, on an error only: a silent close leaves them waiting for their time-out.
      for (const socket of sockets) socket.destroy(new Error('the client is closed'));
    },
  };
}

/**
 * kafkajs parses what it reads in a listener of the socket, where an error ends the process, and a negative length never ends.
 * The first four bytes, the length of an answer, tell a broker from what else may listen at a port.
 */
function guardReading(socket: net.Socket): void {
  const on = socket.on.bind(socket) as (event: string, listener: (data: Buffer) => void) => net.Socket;
  let greeted = false;
  const guarded = (listener: (data: Buffer) => void) => (data: Buffer) => {
    try {
      const length = greeted || data.length < 4 ? 4 : data.readInt32BE(0);
      if (length < 4 || length > MAX_ANSWER_BYTES) throw new Error('what answers is not Kafka');
      greeted = true;
      listener(data);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  socket.on = ((event: string, listener: (data: Buffer) => void) =>
    on(event, event === 'data' ? guarded(listener) : listener)) as typeof socket.on;
}
