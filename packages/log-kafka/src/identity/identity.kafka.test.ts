// What an operator does by mistake to a log that was there: no node ever begins another one in its place.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { describe, expect, inject, test } from 'vitest';
import { startKafka } from '../../../../scripts/kafka/kafka-broker.ts';
import { compareNodes } from '../testing/agreement.ts';
import { EVENTS, fill, OperatedLog, STREAM, user } from '../testing/operated-log.ts';

const WAYS = [{}, { readOnly: true }, { mustExist: true }];
const diverged = (found: RegExp) =>
  expect.objectContaining({
    code: 'log_diverged',
    message: expect.stringMatching(found),
    remedy: expect.stringMatching(/--accept-new-log/),
  });

/** A log that was written to, and that nobody has open. */
async function writtenLog(context: ConstructorParameters<typeof OperatedLog>[0]): Promise<{ place: OperatedLog; logId: string }> {
  const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
  const log = await place.begin();
  await log.close();
  return { place, logId: log.logId };
}

describe.concurrent('where a log was', () => {
  test('whose topics were deleted, nobody with a replica of it begins another', async (context) => {
    const { place, logId } = await writtenLog(context);
    await place.delete('events', 'keys', 'blobs', 'work');
    for (const how of WAYS) await expect(place.open('a', how)).rejects.toEqual(diverged(/there is no topic \S+\.events/));
    expect(await place.topics()).toEqual([]);
    expect(place.kept()).toEqual(['replica']);
    // Only looking begins none either.
    await expect(place.open('a', { acceptNewLog: true, readOnly: true })).rejects.toMatchObject({ code: 'not_found' });
    const other = await place.open('a', { acceptNewLog: true });
    expect(other.logId).not.toBe(logId);
    await other.close();
    // It was said once.
    expect((await place.open()).logId).toBe(other.logId);
    expect(existsSync(join(place.root, 'a', place.prefix, logId, '1', 'replica'))).toBe(true);
  });

  test.for(['events', 'keys', 'blobs'] as const)('whose topic of the %s was deleted, none is made', async (name, context) => {
    const { place } = await writtenLog(context);
    await place.delete(name);
    for (const how of WAYS) await expect(place.open('a', how)).rejects.toEqual(diverged(new RegExp(`there is no topic \\S+\\.${name}`)));
    expect(await place.topics()).toHaveLength(3);
  });

  test.for(['keys', 'blobs'] as const)(
    'whose topic of the %s was made anew, the replica is kept, and the process ends',
    async (name, context) => {
      const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
      const log = await place.begin();
      const { sha256, size_bytes } = await log.blobs.put(new Uint8Array(9));
      const data = { content: [], blob: { sha256, size_bytes } };
      await log.append({ stream: 'session/blob', id: 'b', expected: 0, events: [{ ...user(''), data }] });
      await log.close();
      await place.remake(name, 1);
      await expect(place.open()).rejects.toEqual(
        diverged(name === 'keys' ? /: the payload of event/ : /: a blob of event 1 of session\/blob/),
      );
      expect(place.kept()).toEqual(['replica']);
      // Events were read already when the keys were found to be others: nobody may wait for them.
      const { stdout, ms } = await place.openElsewhere('a');
      expect(stdout).toBe('log_diverged\n');
      expect(ms).toBeLessThan(20_000);
      expect((await (await place.open('a', { acceptNewLog: true })).head(STREAM)).seq).toBe(EVENTS);
    },
  );

  test('whose topic was made anew and stands empty, none is begun', async (context) => {
    const { place } = await writtenLog(context);
    await place.remake('events', 2);
    for (const how of WAYS) await expect(place.open('a', how)).rejects.toEqual(diverged(/is empty/));
  });

  test('and another has been begun by a machine that knew nothing of it, each says what it expected and found', async (context) => {
    const { place, logId } = await writtenLog(context);
    await place.delete('events', 'keys', 'blobs', 'work');
    const other = await place.open('fresh');
    await fill(other);
    for (const how of WAYS) await expect(place.open('a', how)).rejects.toEqual(diverged(new RegExp(`${logId}: .*${other.logId}`)));
    // A second process of the machine has nothing to compare, and learns it from the topic.
    const first = await place.open('fresh');
    expect(first.logId).toBe(other.logId);
    expect(readdirSync(join(place.root, 'a', place.prefix, logId))).toEqual(['1']);
  });

  test.for([
    ['shorter than what was read of it', EVENTS - 4, 0],
    ['and others have written to it since', EVENTS - 4, 9],
  ] as const)('and its topic has come back from an older copy, %s, the replica is the better one', async ([, most, more], context) => {
    const { place, logId } = await writtenLog(context);
    await place.restoreOlder(most);
    if (more > 0) await fill(await place.open('fresh'), { from: most - 1, to: most + more, id: 'later' });
    const lacks = diverged(/lacks what the replica in \S+ holds: /);
    for (const how of WAYS) await expect(place.open('a', how)).rejects.toEqual(lacks);
    expect(place.kept()).toEqual(['replica']);
    const taken = await place.open('a', { acceptNewLog: true });
    expect(taken.logId).toBe(logId);
    expect((await taken.head(STREAM)).seq).toBe(most - 1 + (more > 0 ? more + 1 : 0));
    expect(place.kept()).toHaveLength(2);
  });

  test('only the work topic, which holds nothing, is made again', async (context) => {
    const { place, logId } = await writtenLog(context);
    await place.delete('work');
    expect((await place.open()).logId).toBe(logId);
    expect(await place.topics()).toHaveLength(4);
  });
});

test('machines that begin one log at the same time agree on which', async (context) => {
  const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
  const logs = await Promise.all(['a', 'b', 'c', 'd'].map((node) => place.open(node)));
  expect(new Set(logs.map(({ logId }) => logId)).size).toBe(1);
  await fill(logs[2]!);
  expect(await compareNodes(logs)).toMatchObject({ differences: [], problems: [] });
});

test('a second process of a machine, whose place holds nothing yet, is not filled from another log', async (context) => {
  const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
  const log = await place.begin();
  await place.remake('events', 2);
  const other = await place.open('fresh');
  await fill(other);
  // The first process has not noticed yet.
  await expect(place.open('a')).rejects.toEqual(diverged(new RegExp(other.logId)));
  expect(readdirSync(join(place.root, 'a', place.prefix, log.logId, '2'))).not.toContain('replica');
});

describe.skipIf(!inject('canStartKafka'))('two clusters that share a prefix and a data directory', () => {
  test('keep a replica each once the operator has said so, and neither is built again', async (context) => {
    const staging = await startKafka();
    context.onTestFinished(() => staging.stop());
    const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
    const log = await place.begin();
    await log.close();
    const url = `kafka://${staging.brokers}/${place.prefix}?partitions=2`;
    await expect(place.open('a', { url })).rejects.toEqual(diverged(/there is no topic/));
    const other = await place.open('a', { url, acceptNewLog: true });
    await fill(other, { to: 3 });
    await other.close();
    for (let turn = 0; turn < 2; turn += 1) {
      const [production, its] = [await place.open(), await place.open('a', { url })];
      expect([production.logId, its.logId]).toEqual([log.logId, other.logId]);
      expect([(await production.head(STREAM)).seq, (await its.head(STREAM)).seq]).toEqual([EVENTS, 3]);
      await Promise.all([production.close(), its.close()]);
    }
    expect(place.notices.filter(({ kind }) => kind === 'rebuilding')).toEqual([]);
  });
});
