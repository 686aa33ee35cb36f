import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, inject, test } from 'vitest';

test('the shared broker listens', async () => {
  const [host, port] = inject('kafkaBrokers').split(':');
  const socket = connect(Number(port), host);
  await once(socket, 'connect');
  socket.destroy();
  expect(host).toBe('127.0.0.1');
});
