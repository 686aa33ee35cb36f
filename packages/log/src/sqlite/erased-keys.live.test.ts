// Of a partition of a log that seals payloads: whose keys are to be destroyed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newEvent, type NewEvent, type StoredEvent } from '@dreamfold/events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareAppend, stampAppend } from '../rule/append.ts';
import { message } from '../conformance/log-under-test.ts';
import type { Head } from '../port.ts';
import type { PartitionRecord, PartitionReplica } from '../rule/replica.ts';
import { EMPTY_HEAD } from '../rule/rule.ts';
import { openPartitionReplica } from './partition-replica.ts';

const S = 'session/sesn_1';

let root: string;
let replica: PartitionReplica;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dreamfold-keys-'));
  replica = openPartitionReplica({ directory: join(root, 'p0'), partition: 0 });
});
afterEach(() => {
  replica.close();
  rmSync(root, { recursive: true });
});

/** An append of one event, as its writer stamps it. */
function stamp(id: string, head: Head, event: NewEvent = message(id)): StoredEvent {
  return stampAppend(prepareAppend({ stream: S, id, expected: head.seq, events: [event] }, 1), head, 'w_1')[0]!;
}

function headAfter({ seq, hash }: StoredEvent): Head {
  return { seq, hash, epoch: 0 };
}

describe('the keys of an erased event', () => {
  const a = stamp('a', EMPTY_HEAD);
  const b = stamp('b', headAfter(a));
  const erasing = (id: string, head: Head): StoredEvent =>
    stamp(`erase ${id}`, head, newEvent('log.erased', 'system', { events: [id], reason: 'asked for' }));
  const sealed = (event: StoredEvent, keyId: string, opens = true): Omit<PartitionRecord, 'offset'> => ({
    ...{ term: 1, bytes: JSON.stringify(event), record: { ...event, data: null }, keyId },
    payload: opens ? event.data : null,
  });
  const foldAll = (records: readonly Omit<PartitionRecord, 'offset'>[]): PartitionReplica => {
    replica.fold(records.map((record, offset) => ({ offset, ...record })));
    return replica;
  };
  const plain = (event: StoredEvent): Omit<PartitionRecord, 'offset'> => ({ term: 1, bytes: '', record: event });

  it('are owed from when they are first asked for, until they are settled', () => {
    const folding = foldAll([sealed(a, 'k'), plain(erasing('a', headAfter(a)))]);
    expect(folding.owingKeys(1000, 1000)).toEqual([S]);
    expect(folding.owingKeys(2000, 1000)).toEqual([S]);
    expect(folding.erasedEvents(S)).toEqual([{ seq: 1, since: 1000, isDestroyed: false, copies: [] }]);
    folding.settleKeys(S, [1]);
    expect(folding.owingKeys(3000, 3000)).toEqual([]);
    expect(folding.erasedEvents(S)).toMatchObject([{ seq: 1, isDestroyed: true }]);
  });

  it('are owed by who could not open it any more, too', () => {
    const folding = foldAll([sealed(a, 'k', false), plain(erasing('a', headAfter(a)))]);
    expect(folding.owingKeys(1000, 1000)).toEqual([S]);
  });

  it('are also those of records that never counted, with its id or its payload', () => {
    const lost = stamp('b', EMPTY_HEAD);
    const sameText = stamp('other', EMPTY_HEAD, message('b'));
    const unlike = stamp('c', EMPTY_HEAD);
    const records = [sealed(a, 'k'), sealed(lost, 'k1'), sealed(sameText, 'k2'), sealed(unlike, 'k3'), sealed(b, 'k')];
    const folding = foldAll([...records, plain(erasing('b', headAfter(b)))]);
    expect(folding.erasedEvents(S)).toMatchObject([
      {
        seq: 2,
        copies: [
          { keyId: 'k1', seq: 1 },
          { keyId: 'k2', seq: 1 },
        ],
      },
    ]);
  });

  it('are not those of what counts: a record that stands there twice, or one that only says which key it has', () => {
    const forged = stamp('b', EMPTY_HEAD);
    const copied = stamp('x', headAfter(b), message('a'));
    const records = [sealed(a, 'k'), sealed(b, 'k'), sealed(copied, 'k'), sealed(a, 'k'), sealed(forged, 'k', false)];
    // `x` has the payload of `a`, and counts: it stays.
    const folding = foldAll([...records, plain(erasing('b', headAfter(copied))), sealed(copied, 'k')]);
    expect(folding.erasedEvents(S)).toMatchObject([{ seq: 2, copies: [] }]);
    expect(folding.readStream(S, 1, 9).map(({ data }) => data === null)).toEqual([false, true, false, false]);
  });

  it('are owed again when another copy comes', () => {
    const folding = foldAll([sealed(a, 'k'), plain(erasing('a', headAfter(a)))]);
    folding.settleKeys(S, [1]);
    folding.fold([{ offset: 2, ...sealed(stamp('c', EMPTY_HEAD), 'unlike') }]);
    expect(folding.owingKeys(1000, 1000)).toEqual([]);
    folding.fold([{ offset: 3, ...sealed(stamp('a', headAfter(b)), 'late') }]);
    expect(folding.owingKeys(1000, 1000)).toEqual([S]);
    expect(folding.erasedEvents(S)).toMatchObject([{ copies: [{ keyId: 'late', seq: 3 }] }]);
  });
});
