import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { expect, inject, onTestFinished, test } from 'vitest';
import { runBlobs } from '../testing/blob-run.ts';

test('500 large results at once are on every node, though their writers are killed between requests', async () => {
  const root = mkdtempSync(join(tmpdir(), 'dreamfold-blobs-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const storageModule = createRequire(import.meta.url).resolve('@dreamfold/log/sqlite');
  const where = { brokers: inject('kafkaBrokers'), root, storage: sqliteReplicas, storageModule };
  const report = await runBlobs({ ...where, blobs: 250, sizeBytes: 4_300_000, kills: 20, seed: 1 });
  console.log(report);
  expect(report).toMatchObject({ acknowledged: 500, missingThere: 0, missingOnFresh: 0 });
  expect(report.incomplete.puts).toBeLessThanOrEqual(20 * 8);
});
