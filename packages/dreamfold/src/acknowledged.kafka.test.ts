import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMemoryLog, type Head, type Log } from '@dreamfold/log';
import { openKafkaLog, type KafkaLog } from '@dreamfold/log-kafka';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { afterAll, expect, inject, test } from 'vitest';
import { acknowledgedIsReadable, placeIn } from './testing/acknowledged.ts';

/** `DREAMFOLD_TEST_CASES=20000` takes some ten times as long. */
const CASES = Number(process.env['DREAMFOLD_TEST_CASES'] ?? 2_000);
const seed = Number(process.env['DREAMFOLD_TEST_SEED'] ?? Date.now() % 1_000_000_000);

const root = mkdtempSync(join(tmpdir(), 'dreamfold-acknowledged-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const places = new Map<Log, string>();
const notices: string[] = [];

async function openAt(place: string, node: string): Promise<KafkaLog> {
  const url = `kafka://${inject('kafkaBrokers')}/${place}?partitions=2`;
  const onNotice = ({ message }: { message: string }): void => void notices.push(message);
  const log = await openKafkaLog({ url, directory: join(root, place, node), storage: sqliteReplicas, onNotice });
  places.set(log, place);
  return log;
}

async function headsOf(log: Log): Promise<Map<string, Head>> {
  const heads = new Map<string, Head>();
  for await (const batch of log.streams()) for (const { stream, head } of batch) heads.set(stream, head);
  return heads;
}

/** A node that joins now folds the topic from its beginning, and comes to the same. */
async function secondNodeAgrees(log: Log): Promise<void> {
  const other = await openAt(places.get(log)!, 'second');
  try {
    expect(other.setAside()).toEqual([]);
    expect(await headsOf(other)).toEqual(await headsOf(log));
    expect((await other.archive.verify()).problems).toEqual([]);
  } finally {
    await other.close();
  }
}

test(`what an append acknowledges, every reader takes: kafka, ${CASES} cases, seed ${seed}`, { timeout: 3_600_000 }, async () => {
  const tally = await acknowledgedIsReadable({
    cases: CASES,
    seed,
    place: placeIn(root),
    fresh: () => openAt(`acknowledged-${randomBytes(4).toString('hex')}`, 'first'),
    copy: async () => openMemoryLog(),
    andAlso: secondNodeAgrees,
  });
  expect(tally.taken).toBeGreaterThan(CASES / 4);
  expect(notices).toEqual([]);
  console.log(`kafka: ${tally.taken} of ${CASES} appends taken, with ${tally.events} events; refused: ${JSON.stringify(tally.refused)}`);
});
