// A node that can't write its replica any more.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DreamfoldError, type NewEvent } from '@dreamfold/events';
import type { ReplicaStorage } from '@dreamfold/log/backend';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import type { KafkaLog } from './kafka-log.ts';
import { openKafkaLog } from './open-kafka-log.ts';
import { compareNodes } from './testing/agreement.ts';

const STREAM = 'session/full';

function user(text: string): NewEvent {
  return { type: 'user.message', data: { content: [{ type: 'text', text }] }, class: 'open', actor: 'user' };
}

/** SQLite's replicas on a disk that is full from when the test says so. */
class FullDisk implements ReplicaStorage {
  readonly source = null;
  full: 'replica' | 'side' | null = null;

  openPartition(options: Parameters<ReplicaStorage['openPartition']>[0]): ReturnType<ReplicaStorage['openPartition']> {
    return this.#failing(sqliteReplicas.openPartition(options), 'fold', 'replica');
  }

  readonly lock = (directory: string): ReturnType<ReplicaStorage['lock']> => sqliteReplicas.lock(directory);

  readonly inspect = (directory: string): ReturnType<ReplicaStorage['inspect']> => sqliteReplicas.inspect(directory);

  openSide(options: Parameters<ReplicaStorage['openSide']>[0]): ReturnType<ReplicaStorage['openSide']> {
    return this.#failing(sqliteReplicas.openSide(options), 'transaction', 'side');
  }

  #failing<T extends object>(store: T, method: keyof T, which: 'replica' | 'side'): T {
    return new Proxy(store, {
      get: (target, name) => {
        if (name === method && this.full === which)
          throw new DreamfoldError('store_full', 'The disk is full', { remedy: 'Free some space.' });
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }
}

test.each(['replica', 'side'] as const)('when the %s store is full, the node says so and stops, and nothing is lost', async (which) => {
  const root = mkdtempSync(join(tmpdir(), 'dreamfold-full-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const url = `kafka://${inject('kafkaBrokers')}/full-${randomBytes(4).toString('hex')}?partitions=2`;
  const open = async (node: string, storage: ReplicaStorage = sqliteReplicas): Promise<KafkaLog> => {
    const log = await openKafkaLog({ url, directory: join(root, node), storage });
    onTestFinished(() => log.close());
    return log;
  };
  const disk = new FullDisk();
  const log = await open('a', disk);
  for (let i = 0; i < 5; i += 1) await log.append({ stream: STREAM, id: `e${i}`, expected: i, events: [user('kept')] });
  disk.full = which;
  const full = expect.objectContaining({ code: 'store_full' });
  // The first event of a stream needs a key, which the side store keeps.
  const late = [STREAM, 'session/new'].map((stream) => log.append({ stream, id: 'late', expected: 'any', events: [user('late')] }));
  const outcomes = await Promise.allSettled(late);
  expect(outcomes.at(-1)).toMatchObject({ status: 'rejected', reason: full });
  await vi.waitFor(() => expect(log.failure).toEqual(full));
  await expect(log.append({ stream: STREAM, id: 'later', expected: 'any', events: [user('later')] })).rejects.toEqual(full);
  await log.close();
  disk.full = null;
  const again = await open('a', disk);
  expect((await again.head(STREAM)).seq).toBeGreaterThanOrEqual(5);
  // Whether it had counted nobody knew; sent again, it counts once.
  await again.append({ stream: STREAM, id: 'late', expected: 'any', events: [user('late')] });
  expect((await again.head(STREAM)).seq).toBe(6);
  expect(await compareNodes([again, await open('rebuilt')])).toMatchObject({ differences: [], problems: [] });
});
