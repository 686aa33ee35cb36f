// The key of an event comes on a topic of its own, and may come later than the event.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewEvent } from '@dreamfold/events';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { KafkaDriver } from '../driver/driver.ts';
import type { KafkaLog } from '../kafka-log.ts';
import type { KafkaPlace } from '../kafka-url.ts';
import { driverFor } from '../driver/driver-for.ts';
import { openKafkaLog } from '../open-kafka-log.ts';

const STREAM = 'session/sealed';
const event: NewEvent = { type: 'user.message', data: { content: [{ type: 'text', text: 'sealed' }] }, class: 'open', actor: 'user' };

/** A driver through which nothing of a topic comes while the gate is closed. */
function withLate(which: 'events' | 'keys', gate: () => Promise<void>): (place: KafkaPlace) => KafkaDriver {
  return (place) => {
    const driver = driverFor(place);
    const tail = driver.tail.bind(driver);
    driver.tail = async (options) => {
      if (options.topic !== place.topics[which]) return await tail(options);
      const onBatch: typeof options.onBatch = async (partition, records) => {
        await gate();
        await options.onBatch(partition, records);
      };
      return await tail({ ...options, onBatch });
    };
    return driver;
  };
}

/** Opens nodes of a log of its own. */
function newLog(): (node: string, driver?: (place: KafkaPlace) => KafkaDriver) => Promise<KafkaLog> {
  const root = mkdtempSync(join(tmpdir(), 'dreamfold-keys-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const url = `kafka://${inject('kafkaBrokers')}/keys-${randomBytes(4).toString('hex')}?partitions=1`;
  return async (node, driver = driverFor) => {
    const log = await openKafkaLog({ url, directory: join(root, node), storage: sqliteReplicas, driver });
    onTestFinished(() => log.close());
    return log;
  };
}

test.each([
  ['waits for the key of an event', false],
  ['that is closed meanwhile does not take the event for an erased one', true],
])('a node %s', async (_, closes) => {
  const open = newLog();
  const writer = await open('writer');
  const gate = Promise.withResolvers<void>();
  onTestFinished(() => gate.resolve());
  let reader = await open(
    'reader',
    withLate('keys', () => gate.promise),
  );
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

test('what a node that lags writes where another one has erased counts after it', async () => {
  const open = newLog();
  const ahead = await open('ahead');
  let gate = Promise.resolve();
  const lagging = await open(
    'lagging',
    withLate('events', () => gate),
  );
  const { position } = await lagging.append({ stream: STREAM, id: 'a', expected: 0, events: [event] });
  await ahead.waitFor(position);
  const closed = Promise.withResolvers<void>();
  onTestFinished(() => closed.resolve());
  gate = closed.promise;
  await ahead.append({ stream: STREAM, id: 'b', expected: 1, events: [event] });
  await ahead.erasure.erase(STREAM, { seqs: [2], reason: 'asked for' });
  const appended = lagging.append({ stream: STREAM, id: 'c', expected: 'any', events: [event] });
  await sleep(200);
  closed.resolve();
  expect(await appended).toMatchObject({ head: { seq: 4 }, duplicate: false });
  const payloads: unknown[] = [];
  for await (const events of lagging.read(STREAM)) payloads.push(...events.map(({ data, type }) => (type === event.type ? data : type)));
  expect(payloads).toEqual([event.data, null, 'log.erased', event.data]);
});
