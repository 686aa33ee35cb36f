// 200 times `kill -9` of brokers and of nodes while several nodes write. A few of the same are in killed.kafka.test.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { startKafka } from '../../../scripts/kafka/kafka-broker.ts';
import { figures, runKills, type Target } from './testing/kill-run.ts';

const TARGETS: readonly Target[] = ['broker', 'node', 'both', 'node', 'broker', 'node', 'node', 'both'];
const storageModule = createRequire(import.meta.url).resolve('@dreamfold/log/sqlite');

describe.skipIf(!inject('canStartKafka'))('nothing that was acknowledged is lost or counts twice, and all nodes agree', () => {
  test.each([
    { brokers: 1, kills: 150, seed: 20 },
    { brokers: 3, kills: 50, seed: 21 },
  ] as const)('after $kills kills with $brokers brokers', async ({ brokers, kills, seed }) => {
    const root = mkdtempSync(join(tmpdir(), 'dreamfold-killed-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    const cluster = await startKafka({ nodes: brokers, sessionTimeoutMs: 1_000 });
    onTestFinished(() => cluster.stop());
    const targets = Array.from({ length: kills }, (_, i) => TARGETS[i % TARGETS.length]!);
    const place = { root, storage: sqliteReplicas, storageModule, prefix: 'killed' };
    const report = await runKills({ cluster, brokers, targets, seed, pauseMs: 100, ...place });
    console.log(figures(report));
    expect(report).toMatchObject({ lost: [], twice: [], unsent: [], differences: [], problems: [] });
  });
});
