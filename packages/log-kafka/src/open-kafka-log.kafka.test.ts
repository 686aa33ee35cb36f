import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { afterAll, expect, inject, onTestFinished, test } from 'vitest';
import { parseKafkaUrl } from './kafka-url.ts';
import { driverFor } from './driver/driver-for.ts';
import { openKafkaLog } from './open-kafka-log.ts';
import { ensureTopics } from './topics/topics.ts';

const directory = mkdtempSync(join(tmpdir(), 'dreamfold-open-kafka-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const storage = sqliteReplicas;

test.each([{ readOnly: true }, { mustExist: true }])('topics without a beginning are no log yet for %j, which writes none', async (how) => {
  const url = `kafka://${inject('kafkaBrokers')}/begun-${process.pid}-${Object.keys(how)[0]!.toLowerCase()}?partitions=2`;
  const place = parseKafkaUrl(url);
  const driver = driverFor(place);
  onTestFinished(() => driver.close());
  await driver.connect();
  await ensureTopics(driver, place);
  await expect(openKafkaLog({ url, directory, storage, ...how })).rejects.toMatchObject({ code: 'not_found' });
  expect(await driver.offsets(place.topics.events)).toEqual([
    { low: 0, high: 0 },
    { low: 0, high: 0 },
  ]);
  const log = await openKafkaLog({ url, directory, storage });
  await log.close();
  await (await openKafkaLog({ url, directory, storage, ...how })).close();
});

test('a directory that can’t hold a replica is named', async () => {
  const url = `kafka://${inject('kafkaBrokers')}/nowhere-${process.pid}?partitions=1`;
  const file = join(directory, 'file');
  writeFileSync(file, '');
  // Under /proc nothing can be made, and the system says that the parent is missing.
  const places = [file, join(file, 'below'), ...(existsSync('/proc/self') ? ['/proc/none'] : [])];
  for (const place of places) {
    await expect(openKafkaLog({ url, directory: place, storage })).rejects.toMatchObject({ code: 'invalid_path' });
  }
});
