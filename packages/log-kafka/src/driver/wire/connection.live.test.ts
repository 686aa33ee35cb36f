import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { ClientConfig } from '../client-config.ts';
import { Cluster } from './cluster.ts';
import { Connection, type Call } from './connection.ts';
import { RequestWriter } from './request-writer.ts';

interface FakeBroker {
  address: string;
  /** Those that are open. */
  sockets: Set<Socket>;
}

/** Answers each request with a body that is made of its number, in pieces of some bytes; null is silence. */
async function fakeBroker(answer: (api: number) => RequestWriter | null, pieceBytes = 65_536): Promise<FakeBroker> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    let bytes = Buffer.alloc(0);
    socket.on('data', (data: Buffer) => {
      bytes = Buffer.concat([bytes, data]);
      for (; bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0); bytes = bytes.subarray(4 + bytes.readInt32BE(0))) {
        const body = answer(bytes.readInt16BE(4))?.bytes;
        if (body === undefined) continue;
        const whole = Buffer.concat([new RequestWriter().int32(4 + body.length).int32(bytes.readInt32BE(8)).bytes, body]);
        for (let at = 0; at < whole.length; at += pieceBytes) socket.write(whole.subarray(at, at + pieceBytes));
      }
    });
    socket.setNoDelay(true);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

function call(api: number, timeoutMs = 5_000): Call<string> {
  return { api, version: 0, timeoutMs, write: (body) => body.string('question'), read: (answer) => answer.string() };
}

async function opened(address: string): Promise<Connection> {
  const connection = await Connection.open(address, { brokers: [address], clientId: 'test' }, new AbortController().signal);
  onTestFinished(() => connection.close(new Error('the test is over')));
  return connection;
}

test('answers come in their order, however they are cut', async () => {
  for (const pieceBytes of [1, 3, 7, 65_536]) {
    const { address } = await fakeBroker((api) => new RequestWriter().string(`answer ${api}`), pieceBytes);
    const connection = await opened(address);
    const answers = await Promise.all(Array.from({ length: 30 }, (_, api) => connection.ask(call(api))));
    expect(answers).toEqual(Array.from({ length: 30 }, (_, api) => `answer ${api}`));
  }
});

test('a late answer closes the connection, and fails all that waits', async () => {
  const { address, sockets } = await fakeBroker(() => null);
  const connection = await opened(address);
  const asked = [call(1, 100), call(2)].map((one) => connection.ask(one).catch((error: unknown) => String(error)));
  expect(await Promise.all(asked)).toEqual(['Error: no answer in time', 'Error: no answer in time']);
  expect(connection.isOpen).toBe(false);
  await vi.waitFor(() => expect(sockets.size).toBe(0));
  await expect(connection.ask(call(2))).rejects.toThrow('no answer in time');
});

test('a login that ends is followed by another on a new connection, and what was asked before is answered', async () => {
  const lastsMs = 500;
  const { address, sockets } = await fakeBroker((api) => {
    if (api === 17) return new RequestWriter().int16(0).list([], () => {});
    if (api === 36) return new RequestWriter().int16(0).string(null).int32(0).int64(lastsMs);
    return new RequestWriter().string(api === 1 ? 'there' : 'here');
  });
  const config: ClientConfig = { brokers: [address], clientId: 'test', sasl: { mechanism: 'plain', username: 'u', password: 'p' } };
  const cluster = new Cluster(config);
  onTestFinished(() => cluster.close());
  const first = await cluster.connection(address);
  expect(await cluster.ask(address, call(2))).toBe('here');
  expect(sockets.size).toBe(1);
  await sleep(lastsMs);
  const late = first.ask(call(1));
  expect(await cluster.ask(address, call(2))).toBe('here');
  expect(await late).toBe('there');
  await vi.waitFor(() => expect(sockets.size).toBe(1));
  expect(await cluster.connection(address)).not.toBe(first);
});
