// The methods of the memory against every kind of odd value: see front-door.live.test.ts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { open } from './index.ts';
import { describeDoors, methodsOf, none, options, value, type Door } from './testing/door.ts';
import { ANY_TEXT, EMPTY_LIST, NEVER, OPTIONS, orNone, TEXT } from './testing/odd-values.ts';

const directory = mkdtempSync(join(tmpdir(), 'dreamfold-door-'));
writeFileSync(join(directory, 'taken'), '');
const { memory, close } = await (async () => {
  const df = await open();
  return { memory: df.memory, close: () => df.close() };
})();
await memory.create({ name: 'desk', description: '', approval: 'manual' }, 'person:ann');
afterAll(async () => {
  await close();
  rmSync(directory, { recursive: true });
});

const store = value('desk', NEVER);
/** Where nothing is to be done, it does not matter whether there is a store. */
const unchanged = value('desk', TEXT);
const decision = options({ by: ['person:ann', TEXT], reason: ['So.', TEXT] });
const patch = {
  patchId: 'one',
  operations: [{ op: 'add', path: '/memories/~1a', value: { kind: 'note', content: 'x' } }],
  reason: 'r',
  author: 'person:ann',
};

const MEMORY: Record<string, Door> = {
  idOf: { args: [value('desk', TEXT)], call: (given: never) => memory.idOf(given) },
  create: {
    args: [options({ name: ['desk', TEXT], description: ['', ANY_TEXT], approval: ['manual', NEVER] }), value('person:ann', TEXT)],
    call: async (...args: Parameters<typeof memory.create>) => (await open()).memory.create(...args),
  },
  load: { args: [store], call: (given: never) => memory.load(given) },
  asOf: { args: [store, value(0, NEVER)], call: (...args: Parameters<typeof memory.asOf>) => memory.asOf(...args) },
  list: none(() => memory.list()),
  pin: { args: [value(['desk'], EMPTY_LIST)], call: (given: never) => memory.pin(given) },
  pinned: { args: [value([], EMPTY_LIST)], call: (given: never) => memory.pinned(given) },
  versions: { args: [store], call: (given: never) => memory.versions(given) },
  at: {
    args: [store, options({ version: [0, NEVER] })],
    call: (...args: Parameters<typeof memory.at>) => memory.at(...args),
  },
  diff: { args: [store, value(0, NEVER), value(0, NEVER)], call: (...args: Parameters<typeof memory.diff>) => memory.diff(...args) },
  blame: { args: [store, value(undefined, orNone(NEVER))], call: (...args: Parameters<typeof memory.blame>) => memory.blame(...args) },
  exportTo: {
    args: [store, value('taken', TEXT), options({ version: [0, NEVER] })],
    call: (of: never, to: unknown, point: never) =>
      memory.exportTo(of, (typeof to === 'string' && to !== '' ? join(directory, to) : to) as string, point),
    ends: 'path_conflict',
  },
  importFrom: {
    args: [store, value(join(directory, 'nope'), NEVER), decision],
    call: (...args: Parameters<typeof memory.importFrom>) => memory.importFrom(...args),
    ends: 'not_found',
  },
  propose: { args: [unchanged, value([], EMPTY_LIST)], call: (...args: Parameters<typeof memory.propose>) => memory.propose(...args) },
  withdraw: {
    args: [unchanged, value([], EMPTY_LIST), decision],
    call: (...args: Parameters<typeof memory.withdraw>) => memory.withdraw(...args),
  },
  countInsights: {
    args: [unchanged, options({ dreamId: ['drm_1', TEXT], counts: [[{ insight_id: 'i', helpful: 0, harmful: 0 }], EMPTY_LIST] })],
    call: (...args: Parameters<typeof memory.countInsights>) => memory.countInsights(...args),
  },
  approve: {
    args: [store, value('patch_x', NEVER), options({ by: ['ann', NEVER], note: ['', NEVER] })],
    call: (...args: Parameters<typeof memory.approve>) => memory.approve(...args),
    ends: 'not_found',
  },
  reject: {
    args: [store, value('patch_x', NEVER), decision],
    call: (...args: Parameters<typeof memory.reject>) => memory.reject(...args),
    ends: 'not_found',
  },
  edit: {
    args: [
      store,
      options({
        former: ['patch_x', NEVER],
        patchId: ['patch_y', NEVER],
        operations: [[], NEVER],
        reason: ['r', NEVER],
        evidence: [[], NEVER],
        gates: [[], NEVER],
        by: ['ann', NEVER],
        note: ['', NEVER],
        apply: [true, NEVER],
      }),
    ],
    call: (...args: Parameters<typeof memory.edit>) => memory.edit(...args),
    ends: 'not_found',
  },
  rollback: {
    args: [store, value('patch_x', NEVER), decision],
    call: (...args: Parameters<typeof memory.rollback>) => memory.rollback(...args),
    ends: 'not_found',
  },
  write: {
    args: [
      store,
      options({
        patchId: ['one', TEXT],
        operations: [patch.operations, NEVER],
        reason: ['r', TEXT],
        author: ['person:ann', TEXT],
        evidence: [[], orNone(EMPTY_LIST)],
      }),
      options({ constitution: [[], orNone(EMPTY_LIST)] }, OPTIONS),
    ],
    call: (...args: Parameters<typeof memory.write>) => memory.write(...args),
  },
  writeNote: {
    args: [
      store,
      options({
        path: ['/note', NEVER],
        content: ['x', ANY_TEXT],
        reason: ['r', TEXT],
        by: ['person:ann', TEXT],
        constitution: [[], orNone(EMPTY_LIST)],
      }),
    ],
    call: (...args: Parameters<typeof memory.writeNote>) => memory.writeNote(...args),
  },
};

describeDoors('memory', MEMORY, methodsOf(memory));
