import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { describeLog } from '@dreamfold/log/conformance';
import { afterAll, describe, inject } from 'vitest';
import { openKafkaLog } from './open-kafka-log.ts';

const brokers = inject('kafkaBrokers');
const root = mkdtempSync(join(tmpdir(), 'dreamfold-kafka-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const run = randomBytes(4).toString('hex');

describe('on a broker', () => {
  for (const options of ['partitions=3&erasure=on']) {
    describeLog(`kafka, ${options}`, (place) => {
      const prefix = `conformance-${run}-${options.replaceAll(/\W/g, '')}-${place}`;
      return openKafkaLog({ url: `kafka://${brokers}/${prefix}?${options}`, directory: join(root, prefix) });
    });
  }
});
