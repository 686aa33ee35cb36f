// The key of an event comes on a topic of its own, and may come later than the event.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewEvent } from '@dreamfold/events';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { KafkaDriver } from './driver.ts';
import type { KafkaLog } from './kafka-log.ts';
import type { KafkaPlace } from './kafka-url.ts';
import { driverFor } from './driver-for.ts';
import { openKafkaLog } from './open-kafka-log.ts';

const STREAM = 'session/sealed';
const event: NewEvent = { type: 'user.message', data: { content: [{ type: 'text', text: 'sealed' }] }, class: 'open', actor: 'user' };

/** A driver through which no key comes before the gate is open. */
function withLateKeys(gate: Promise<void>): (place: KafkaPlace) => KafkaDriver {
  return (place) => {
    const driver = driverFor(place);
    const tail = driver.tail.bind(driver);
    driver.tail = async (options) => {
      if (options.topic !== place.topics.keys) return await tail(options);
      const onBatch: typeof options.onBatch = async (partition, records) => {
        await gate;
        await options.onBatch(partition, records);
      };
      return await tail({ ...options, onBatch });
    };
    return driver;
  };
}

test.each([
  ['waits for the key of an event', false],
  ['that is closed meanwhile does not take the event for an erased one', true],
])('a node %s', async (_, closes) => {
  const root = mkdtempSync(join(tmpdir(), 'dreamfold-keys-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const url = `kafka://${inject('kafkaBrokers')}/keys-${randomBytes(4).toString('hex')}?partitions=1`;
  const open = async (node: string, driver = driverFor): Promise<KafkaLog> => {
    const log = await openKafkaLog({ url, directory: join(root, node), storage: sqliteReplicas, driver });
    onTestFinished(() => log.close());
    return log;
  };
  const writer = await open('writer');
  const gate = Promise.withResolvers<void>();
  onTestFinished(() => gate.resolve());
  let reader = await open('reader', withLateKeys(gate.promise));
  const { position } = await writer.append({ stream: STREAM, id: 'a', expected: 0, events: [event] });
  await sleep(300);
  expect((await reader.head(STREAM)).seq).toBe(0);
  if (closes) {
    await reader.close();
    reader = await open('reader');
  }
  gate.resolve();
  await reader.waitFor(position);
  for await (const events of reader.read(STREAM)) expect(events).toMatchObject([{ data: event.data }]);
});
