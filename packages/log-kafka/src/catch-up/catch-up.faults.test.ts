import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewEvent } from '@dreamfold/events';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { KafkaLog } from '../kafka-log.ts';
import { openKafkaLog } from '../open-kafka-log.ts';
import { compareNodes } from '../testing/agreement.ts';

const STREAMS = 200;
const ROUNDS = 52;
const EVENTS = 10;

const events: NewEvent[] = Array.from({ length: EVENTS }, (_, i) => ({
  type: 'user.message',
  data: { content: [{ type: 'text', text: String(i) }] },
  class: 'open',
  actor: 'user',
}));

test.skipIf(availableParallelism() < 2)(
  'a node that lacks a hundred thousand events folds them in threads, and has what others have',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'dreamfold-catch-up-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    const url = `kafka://${inject('kafkaBrokers')}/far-${randomBytes(4).toString('hex')}?partitions=4`;
    const open = async (node: string, onProgress = (_done: number, _total: number): void => {}): Promise<KafkaLog> => {
      const log = await openKafkaLog({ url, directory: join(root, node), storage: sqliteReplicas, onProgress });
      onTestFinished(() => log.close());
      return log;
    };
    const writer = await open('writer');
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(
        Array.from({ length: STREAMS }, (_, i) => writer.append({ stream: `session/${i}`, id: `a${round}`, expected: 'any', events })),
      );
    }
    const done: number[] = [];
    const reader = await open('reader', (count) => done.push(count));
    expect(await compareNodes([writer, reader])).toMatchObject({ differences: [], problems: [] });
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBeGreaterThanOrEqual(STREAMS * ROUNDS * EVENTS);
  },
);
