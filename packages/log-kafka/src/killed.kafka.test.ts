// `kill -9` of brokers and of nodes while several nodes write. The long run is killed.faults.test.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { startKafka } from '../../../scripts/kafka/kafka-broker.ts';
import { figures, runKills, type Target } from './testing/kill-run.ts';

const storageModule = createRequire(import.meta.url).resolve('@dreamfold/log/sqlite');

async function run(brokers: 1 | 3, targets: readonly Target[]): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'dreamfold-killed-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const cluster = await startKafka({ nodes: brokers, sessionTimeoutMs: 1_000 });
  onTestFinished(() => cluster.stop());
  const place = { root, storage: sqliteReplicas, storageModule, prefix: 'killed' };
  const report = await runKills({ cluster, brokers, targets, seed: 1, pauseMs: 30, ...place });
  console.log(figures(report));
  expect(report).toMatchObject({ lost: [], twice: [], unsent: [], differences: [], problems: [] });
}

// Each kill waits until every writer goes on, which takes long where others use the machine too.
const TIMEOUT_MS = 300_000;

describe.skipIf(!inject('canStartKafka'))('nothing that was acknowledged is lost or counts twice, and all nodes agree', () => {
  test(
    'when a broker and nodes are killed and start again',
    async () => {
      await run(1, ['broker', 'node', 'both', 'node', 'node', 'node']);
    },
    TIMEOUT_MS,
  );

  test(
    'when one of three brokers is killed: the others go on',
    async () => {
      await run(3, ['broker', 'both']);
    },
    TIMEOUT_MS,
  );
});
