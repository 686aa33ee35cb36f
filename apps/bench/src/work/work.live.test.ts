import { expect, test } from 'vitest';
import type { WorkCounts } from './counters.ts';
import { countWork, type WorkJob } from './work.ts';

// Counts do not depend on the machine, so these are limits and no measurements. Whoever needs to do more a step says why, here;
// whoever gets along with less lowers them. In a team on SQLite, what happens to be committed together moves some by a few per cent.
const CEILINGS: Record<WorkJob, WorkCounts> = {
  'memory single': {
    statements: 0,
    parses: 0,
    stringifies: 10.2,
    stringifyBytes: 1360,
    hashes: 5.1,
    hashBytes: 800,
    timers: 2,
    abortControllers: 2,
  },
  'memory team': {
    statements: 0,
    parses: 0,
    stringifies: 11.3,
    stringifyBytes: 1720,
    hashes: 5,
    hashBytes: 860,
    timers: 2,
    abortControllers: 2,
  },
  'sqlite single': {
    ...{ statements: 10.6, commits: 2.05, inserts: 4.2 },
    ...{ parses: 0, stringifies: 10.2, stringifyBytes: 1360, hashes: 15.5, hashBytes: 2700, timers: 2.1, abortControllers: 2 },
  },
  'sqlite team': {
    ...{ statements: 6.8, commits: 0.4, inserts: 5 },
    ...{ parses: 0, stringifies: 11.3, stringifyBytes: 1720, hashes: 15.2, hashBytes: 3050, timers: 2, abortControllers: 2 },
  },
  // With opening and closing; that it does not grow with the log is below.
  'list of 10': { statements: 30, parses: 10, hashes: 1, stringifies: 12 },
  'list of 1000': { statements: 30, parses: 10, hashes: 1, stringifies: 12 },
  // The name of the machine and the number of the process stand in what begins a dream.
  'dreams manual': {
    ...{ statements: 23, commits: 1.2, inserts: 3.9 },
    ...{ parses: 18.5, stringifies: 80, stringifyBytes: 2600, hashes: 20, hashBytes: 3400 },
  },
  // So few sessions prove nothing, so nothing is applied.
  'dreams auto': {
    ...{ statements: 21.2, commits: 1.1, inserts: 3.3 },
    ...{ parses: 18.5, stringifies: 15, stringifyBytes: 750, hashes: 13.6, hashBytes: 1600 },
  },
  // From the source, where nothing is bundled: a room of its own for each job makes more files.
  import: { modules: 400 },
};

test.each(Object.entries(CEILINGS))('the work of %s stays under its ceilings', async (job, ceilings) => {
  const counts = await countWork(job as WorkJob);
  const over = Object.entries(ceilings).filter(([name, most]) => (counts[name] ?? 0) > most);
  expect(over.map(([name, most]) => `${name}: ${counts[name]} of at most ${most}`)).toEqual([]);
  // A counter that counts nothing would never fail.
  const idle = Object.entries(ceilings).filter(([name, most]) => most > 0 && !(counts[name]! > most / 2));
  expect(idle.map(([name]) => name)).toEqual([]);
});

test('a page of a list takes the same of 10 sessions and of 1,000', async () => {
  expect(await countWork('list of 1000')).toEqual(await countWork('list of 10'));
});
