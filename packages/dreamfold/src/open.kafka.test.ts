import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { driverFor, parseKafkaUrl } from '@dreamfold/log-kafka';
import { afterAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { agent, open, type Dreamfold, type OpenOptions } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'dreamfold-open-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const HELLO = '@script [{"say":"Hello."}]';
const lead = agent({ name: 'lead', system: '' });
let logs = 0;

function newLog(): string {
  return `kafka://${inject('kafkaBrokers')}/open-${process.pid}-${(logs += 1)}?partitions=2`;
}

async function opened(options: OpenOptions): Promise<Dreamfold> {
  const df = await open(options);
  onTestFinished(() => df.close());
  return df;
}

async function ran(df: Dreamfold): Promise<string> {
  const session = await df.run(lead, HELLO);
  expect((await session.done()).text).toBe('Hello.');
  return session.id;
}

async function sessionsOf(df: Dreamfold): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of df.sessions()) ids.push(id);
  return ids.toSorted();
}

describe('open on Kafka', () => {
  test('several run sessions at once, in one directory, and each sees what the others write', async () => {
    const options = { log: newLog(), directory: join(root, 'shared') };
    const [a, b] = [await opened(options), await opened(options)];
    const ids = [await ran(a), await ran(b)];
    await vi.waitFor(async () => {
      expect(await sessionsOf(a)).toEqual(ids.toSorted());
      expect(await sessionsOf(b)).toEqual(ids.toSorted());
    }, 5000);
    for (const { lists } of [a, b]) {
      // The end of a session comes after its name.
      await vi.waitFor(async () => {
        const { rows } = await lists.sessions({ agent: lead.name });
        expect(rows.map(({ id, status }) => [id, status])).toEqual(ids.toReversed().map((id) => [id, 'end_turn']));
      }, 5000);
    }
    expect(existsSync(join(root, 'shared', 'kafka'))).toBe(true);
  });

  test('read-only, or with mustExist, begins nothing', async () => {
    const log = newLog();
    const directory = join(root, 'absent');
    await expect(open({ log, directory, readOnly: true })).rejects.toMatchObject({ code: 'not_found' });
    await expect(open({ log, directory, mustExist: true })).rejects.toMatchObject({ code: 'not_found' });
    const place = parseKafkaUrl(log);
    const driver = driverFor(place);
    onTestFinished(() => driver.close());
    await driver.connect();
    for (const topic of Object.values(place.topics)) expect(await driver.describe(topic)).toBe(null);
    expect(existsSync(directory)).toBe(false);
  });

  test('read-only reads on, and writes nothing', async () => {
    const log = newLog();
    const writer = await opened({ log, directory: join(root, 'writer') });
    const progress: number[] = [];
    const onProgress = (done: number, total: number): void => void progress.push(done / total);
    const reader = await opened({ log, directory: join(root, 'reader'), readOnly: true, onProgress });
    expect(progress.at(-1)).toBe(1);
    const id = await ran(writer);
    await vi.waitFor(async () => expect(await sessionsOf(reader)).toEqual([id]), 5000);
    const cursor = await writer.log.cursor();
    const refused = { code: 'store_read_only' };
    await expect(reader.send(id, 'Go on.')).rejects.toMatchObject(refused);
    await expect(reader.run(lead, HELLO)).rejects.toMatchObject(refused);
    await expect(reader.log.blobs.put(new Uint8Array(1))).rejects.toMatchObject(refused);
    await expect(reader.log.erasure.erase(`session/${id}`, { seqs: [1], reason: 'asked for' })).rejects.toMatchObject(refused);
    await expect(reader.log.archive.restore([])).rejects.toMatchObject(refused);
    expect(await writer.log.cursor()).toEqual(cursor);
  });

  test('what happens later is told, or is a warning of the process', async () => {
    const log = newLog();
    const told: { kind: string }[] = [];
    await opened({ log, directory: join(root, 'told'), onNotice: (notice) => told.push(notice) });
    await opened({ log, directory: join(root, 'warned') });
    const warning = once(process, 'warning');
    const place = parseKafkaUrl(log);
    const driver = driverFor(place);
    onTestFinished(() => driver.close());
    await driver.connect();
    await driver.produce(place.topics.events, 0, [{ key: 'x', value: Buffer.from('no event'), headers: {} }]);
    expect(await warning).toMatchObject([{ name: 'DreamfoldWarning', message: expect.stringContaining('set aside') as string }]);
    await vi.waitFor(() => expect(told).toMatchObject([{ kind: 'set_aside' }]), 5000);
  });
});
