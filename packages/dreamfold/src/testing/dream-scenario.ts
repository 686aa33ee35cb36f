// A program that is killed: `node dream-scenario.ts DIRECTORY [POINT]`. It dreams once in the directory, or goes on with the dream that it
// finds there, and prints what came of it. At POINT it kills itself with SIGKILL:
//   before:N after:N   its Nth append        asked   while its proposer is asked
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import { open, type Proposer } from '../index.ts';
import { countedAppends, hookedLog } from './hooked-log.ts';

export interface DreamScenarioReport {
  /** Appends of this process. */
  appends: number;
  /** The key of each time that the proposer was asked, in all processes. */
  asked: string[];
  dreams: { id: string; status: string; insights: string[]; patchIds: readonly string[] }[];
  document: unknown;
  patches: string[];
}

const [directory = '', point = ''] = process.argv.slice(2);
const file = join(directory, 'asked');

function here(at: string): void {
  if (at === point) process.kill(process.pid, 'SIGKILL');
}

const appends = countedAppends(here);
const log = hookedLog(await openSqliteLog({ directory }), appends.hook);
const proposer: Proposer = {
  name: 'model',
  propose: async ({ key, episodes }) => {
    appendFileSync(file, `${key}\n`);
    here('asked');
    const evidence = episodes.flatMap(({ decisions }) => decisions.flatMap((decision) => decision.evidence)).slice(0, 2);
    return [{ kind: 'note', path: '/tone.md', content: 'Be brief.', reason: 'Long answers are asked about again.', evidence }];
  },
};
const dreamfold = await open({ log });
const dreams = await dreamfold.dreams.list();
if (!dreams.some(({ state }) => state.status === 'completed')) await dreamfold.dream({ store: 'desk', proposers: [proposer] });
const { state } = await dreamfold.memory.load('desk');
const report: DreamScenarioReport = {
  appends: appends.count(),
  asked: readFileSync(file, 'utf8').trimEnd().split('\n'),
  dreams: (await dreamfold.dreams.list()).map(({ id, state: { status, insights, patchIds } }) => ({
    ...{ id, status, patchIds },
    insights: insights.map(({ insightId, patchId, reason }) => `${insightId} ${patchId} ${reason}`),
  })),
  document: state.document,
  patches: [...state.patches].map(({ proposal, status }) => `${proposal.patch_id} ${status}`),
};
process.stdout.write(JSON.stringify(report));
await dreamfold.close();
