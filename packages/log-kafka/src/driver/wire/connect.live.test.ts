import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDriver } from '../driver-for.ts';

async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The error of connecting, and that it came in time and left nothing open. */
async function refusal(brokers: readonly string[], connectTimeoutMs?: number): Promise<unknown> {
  const driver = openDriver({ brokers, clientId: 'test', ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }) });
  const begunAt = performance.now();
  const error = await driver.connect().then(
    () => null,
    (error: unknown) => error,
  );
  expect(performance.now() - begunAt).toBeLessThan(10_000);
  await driver.close();
  return error;
}

describe('connecting says which brokers did not answer', () => {
  test('where nobody listens', async () => {
    expect(await refusal(['127.0.0.1:1', '127.0.0.1:2'])).toMatchObject({
      name: 'DreamfoldError',
      code: 'store_unavailable',
      message: expect.stringMatching(/127\.0\.0\.1:1, 127\.0\.0\.1:2.*ECONNREFUSED/),
      remedy: expect.stringContaining('Kafka listener'),
    });
  });

  test('where something listens and says nothing', async () => {
    const broker = await listening(createServer());
    expect(await refusal([broker], 700)).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining(broker) });
  });

  test.each([
    ['speaks HTTP', () => createHttpServer()],
    ['closes the connection', () => createServer((socket) => socket.end())],
    ['resets the connection', () => createServer((socket) => socket.resetAndDestroy())],
    ['says zeroes', () => createServer((socket) => socket.write(Buffer.alloc(64)))],
    ['says a negative length', () => createServer((socket) => socket.write(Buffer.from('fffffff00000000000000000', 'hex')))],
    ['answers what was not asked', () => createServer((socket) => socket.write(Buffer.from('000000080000000000000000', 'hex')))],
    ['says the name of its protocol', () => createServer((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'))],
  ])('where something %s', async (_, server) => {
    const broker = await listening(server());
    expect(await refusal([broker], 3_000)).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining(broker) });
  });

  test('also when following, joining or asking for a topic', async () => {
    const driver = openDriver({ brokers: ['127.0.0.1:1'], clientId: 'test', connectTimeoutMs: 500 });
    onTestFinished(() => driver.close());
    const unavailable = expect.objectContaining({ code: 'store_unavailable', message: expect.stringContaining('127.0.0.1:1') });
    await expect(driver.offsets('a')).rejects.toEqual(unavailable);
    await expect(driver.tail({ topic: 'a', from: new Map([[0, 0]]), onBatch: () => {}, onFailed: () => {} })).rejects.toEqual(unavailable);
    await expect(driver.join({ group: 'g', topic: 'a', sessionTimeoutMs: 6_000, onAssigned: () => {} })).rejects.toEqual(unavailable);
    await expect(driver.produce('a', 0, [{ key: 'k', value: Buffer.from('v'), headers: {} }])).rejects.toMatchObject({
      name: 'ProduceError',
      written: 'no',
    });
  });
});
