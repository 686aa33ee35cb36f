import net from 'node:net';
import tls from 'node:tls';

const KEEP_ALIVE_MS = 60_000;

/** What an answer has at most: below what a TLS alert or a line of text begins with, read as a length. */
export const MAX_ANSWER_BYTES = 2 ** 28;

/** Where a broker listens, and whether it wants TLS. */
export interface SocketPlace {
  host: string;
  port: number;
  ssl: tls.ConnectionOptions | boolean | null | undefined;
}

/** @param onConnect the connection is there, with TLS after its handshake */
export function openSocket({ host, port, ssl }: SocketPlace, onConnect: () => void): net.Socket {
  const socket =
    ssl === null || ssl === false || ssl === undefined
      ? net.connect({ host, port }, onConnect)
      : tls.connect({ host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}), ...(ssl === true ? {} : ssl) }, onConnect);
  // A request waits for nothing: with Nagle's algorithm the second of two concurrent ones waits for the delayed ACK of the first.
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
}
