// A replica that was folded by a Dreamfold which took fewer records for events.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isStoredEvent, STORED_EVENT_VERSION, type NewEvent } from '@dreamfold/events';
import type { ReplicaStorage } from '@dreamfold/log/backend';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { KafkaLog } from './kafka-log.ts';
import type { LogNotice } from './kafka-node.ts';
import { openKafkaLog } from './open-kafka-log.ts';
import { compareNodes } from './testing/agreement.ts';

const STREAM = 'session/read_twice';
/** 104 characters, in 201 UTF-16 units: no event for whoever counted units, though its append was acknowledged. */
const ACTOR = `person:${'\u{1f4a5}'.repeat(97)}`;

/** Reads as it was read before version 2. */
const older: ReplicaStorage = {
  ...sqliteReplicas,
  source: null,
  openPartition: (options) => {
    const replica = sqliteReplicas.openPartition(options);
    const fold = replica.fold.bind(replica);
    replica.fold = (records) =>
      fold(
        records.map((record) => {
          const { offset, term, bytes, record: event } = record;
          return isStoredEvent(event) && event.actor.length > 200 ? { offset, term, bytes, record: null } : record;
        }),
      );
    return replica;
  },
};

function said(text: string, actor: string): NewEvent {
  return { type: 'user.message', data: { content: [{ type: 'text', text }] }, class: 'open', actor };
}

test('a replica that has set an event aside by an older reading is built again, once, and says so', async () => {
  const root = mkdtempSync(join(tmpdir(), 'dreamfold-reading-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const prefix = `reading-${randomBytes(4).toString('hex')}`;
  const url = `kafka://${inject('kafkaBrokers')}/${prefix}?partitions=2`;
  const notices: LogNotice[] = [];
  const open = async (node: string, storage = sqliteReplicas): Promise<KafkaLog> => {
    const log = await openKafkaLog({ url, directory: join(root, node), storage, onNotice: (notice) => notices.push(notice) });
    onTestFinished(() => log.close());
    return log;
  };
  const writer = await open('writer');
  await writer.append({ stream: STREAM, id: 'a', expected: 0, events: [said('1', 'user')] });
  await writer.append({ stream: STREAM, id: 'b', expected: 1, events: [said('2', ACTOR)] });
  await writer.append({ stream: STREAM, id: 'c', expected: 2, events: [said('3', 'user')] });

  const misled = await open('other', older);
  expect(await misled.head(STREAM)).toMatchObject({ seq: 1 });
  expect(misled.setAside().map(({ reason }) => reason)).toEqual(['broken']);
  await misled.close();
  const reading = join(misled.directory, 'reading');
  expect(existsSync(reading)).toBe(true);
  // There was no such file before version 2.
  rmSync(reading);

  notices.length = 0;
  const mended = await open('other');
  expect(notices.filter(({ kind }) => kind === 'rebuilding').map(({ message }) => message)).toEqual([
    'The local replica was folded by an older Dreamfold, which has set records aside that may be events. The local replica is built again.',
    expect.stringMatching(/^The former replica is kept in .*former-/) as string,
  ]);
  expect(readFileSync(reading, 'utf8')).toBe(`${STORED_EVENT_VERSION}\n`);
  expect(await mended.head(STREAM)).toEqual(await writer.head(STREAM));
  expect(mended.setAside()).toEqual([]);
  expect(await compareNodes([writer, mended])).toMatchObject({ differences: [], problems: [] });
  await mended.close();

  notices.length = 0;
  await open('other');
  expect(notices).toEqual([]);
});
