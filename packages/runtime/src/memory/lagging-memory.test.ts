import { expect, test } from 'vitest';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { MACHINE } from '../time/surroundings.ts';
import { MemoryKeeper } from './memory-keeper.ts';

const note = (content: string) => ({ path: '/a.md', content, by: 'person:ann', reason: 'said so' });

/** A log that says of itself that it has several partitions, and a time that only ends waits when it is told to. */
async function given(): Promise<{
  log: Log;
  reader: MemoryKeeper;
  pin: Awaited<ReturnType<MemoryKeeper['pin']>>[number];
  endWaits: () => void;
}> {
  const log = openMemoryLog();
  const capabilities = { ...log.capabilities, partitions: 2 };
  const partitioned = new Proxy(log, {
    get: (target, name) => {
      if (name === 'capabilities') return capabilities;
      const value = target[name as keyof Log];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const waits: (() => void)[] = [];
  const time = { ...MACHINE.time, after: (_: number, then: () => void) => (waits.push(then), () => {}) };
  const writer = new MemoryKeeper(log);
  await writer.create({ name: 'desk', description: '', approval: 'auto' }, 'person:ann');
  await writer.writeNote('desk', note('one'));
  const elsewhere = new MemoryKeeper(openMemoryLog());
  await elsewhere.create({ name: 'desk', description: '', approval: 'auto' }, 'person:ann');
  for (const text of ['one', 'two']) await elsewhere.writeNote('desk', note(text));
  const [pin] = await elsewhere.pin(['desk']);
  return { log, reader: new MemoryKeeper(partitioned, { ...MACHINE, time }), pin: pin!, endWaits: () => waits.forEach((then) => then()) };
}

test('a version that is not here yet is waited for', async () => {
  const { log, reader, pin } = await given();
  const pinned = reader.pinned([pin]);
  await new MemoryKeeper(log).writeNote('desk', note('two'));
  expect(await pinned).toMatchObject([{ store: pin.store, version: 2 }]);
});

test('one that never comes is said to be missing', async () => {
  const { reader, pin, endWaits } = await given();
  const pinned = reader.pinned([pin]);
  pinned.catch(() => null);
  await new Promise((resolve) => setImmediate(resolve));
  endWaits();
  await expect(pinned).rejects.toMatchObject({ code: 'store_corrupt' });
});
