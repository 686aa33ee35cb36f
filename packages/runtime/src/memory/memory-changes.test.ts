import { expect, test } from 'vitest';
import { DreamfoldError, streamOf } from '@dreamfold/events';
import { createStore, writeMemory } from '@dreamfold/core';
import { openMemoryLog } from '@dreamfold/log';
import { sha256 } from '../digest.ts';
import { MACHINE } from '../time/surroundings.ts';
import { MemoryChanges, type Step } from './memory-changes.ts';

const STORE = 'memstore_1';

test('changes of one append go each by itself: one whose place has moved leaves nothing, another fault all', async () => {
  const log = openMemoryLog();
  const changes = new MemoryChanges({ log, ...MACHINE });
  await changes.change(STORE, 'create', [
    (state) => createStore(state, { name: 'desk', description: '', approval: 'manual', by: 'person:ann' }),
  ]);
  const note = (path: string): Step => {
    const operations = [{ op: 'add', path: `/memories/~1${path}`, value: { kind: 'note', content: path } }];
    return (state) => writeMemory(state, { patchId: path, operations, reason: 'r', author: 'person:ann' }, { sha256 });
  };
  const fails =
    (code: 'precondition_failed' | 'not_found'): Step =>
    () => {
      throw new DreamfoldError(code, 'No.', { remedy: 'Read again.' });
    };
  const went = await changes.changeEach(STORE, 'each', [[note('a')], [note('b'), fails('precondition_failed')], [note('c')]]);
  expect(went).toEqual([true, false, true]);
  expect(Object.keys((await changes.fold(STORE)).document.memories)).toEqual(['/a', '/c']);
  const { seq } = await log.head(streamOf('memory', STORE));
  await expect(changes.changeEach(STORE, 'again', [[note('d')], [fails('not_found')]])).rejects.toMatchObject({ code: 'not_found' });
  expect(await log.head(streamOf('memory', STORE))).toMatchObject({ seq });
});
