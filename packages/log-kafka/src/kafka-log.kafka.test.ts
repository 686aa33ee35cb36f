import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { describeLog } from '@dreamfold/log/conformance';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { afterAll, describe, inject } from 'vitest';
import { openKafkaLog } from './open-kafka-log.ts';

const brokers = inject('kafkaBrokers');
const root = mkdtempSync(join(tmpdir(), 'dreamfold-kafka-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const run = randomBytes(4).toString('hex');

describe('on a broker', () => {
  describeLog('kafka', (place) => {
    const prefix = `conformance-${run}-${place}`;
    return openKafkaLog({ url: `kafka://${brokers}/${prefix}?partitions=3`, directory: join(root, prefix), storage: sqliteReplicas });
  });
});
