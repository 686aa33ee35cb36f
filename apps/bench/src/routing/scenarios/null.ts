import { seeded } from '@dreamfold/core/testing';
import { target } from '../../target.ts';
import { textTable } from '../../text-table.ts';
import { sevenValues } from './seven-values.ts';
import { requestsFor, shuffled } from '../requests.ts';
import type { LabelledRequest } from '../request-file.ts';
import { scenario, type ScenarioProgress } from './scenario.ts';
import { RoutedStream, askedBy, type AskedRequest } from '../stream.ts';

const STORES = 20;
const SESSIONS = [500, 2000] as const;
const LONG = { stores: 5, dreams: 100, sessions: 40 } as const;

type Cell = { values: string; labels: string; sessions: number; cycles: number; appliedIn: number };
type Null = {
  /** Of the worst cell. */
  cycles: number;
  appliedIn: number;
  cells: Cell[];
  long: { stores: number; dreams: number; appliedIn: number };
  waiting: number;
};

/** Labels that say nothing: whatever a dream applies is junk. */
export const nothing = scenario<Null>({
  run: async (options, progress) => {
    const { streamed } = requestsFor(options);
    progress.total(STORES * 6 * SESSIONS.reduce((sum, n) => sum + n, 0) + LONG.stores * LONG.dreams * LONG.sessions);
    const cells: Cell[] = [];
    let waiting = 0;
    for (const [values, requests] of Object.entries(valuesOf(streamed))) {
      for (const labels of ['permuted', 'one a principal'] as const) {
        for (const sessions of SESSIONS) {
          let appliedIn = 0;
          for (let store = 0; store < STORES; store += 1) {
            const random = seeded(100_000 * options.seed + 1000 * store + sessions);
            const asked = unlabelled(drawn(requests, { sessions, random }), { labels, random });
            const { isChanged, waits } = await dreamOnce(asked, requests, progress);
            if (isChanged) appliedIn += 1;
            waiting += waits;
          }
          cells.push({ values, labels, sessions, cycles: STORES, appliedIn });
        }
      }
    }
    let appliedIn = 0;
    for (let store = 0; store < LONG.stores; store += 1) {
      const random = seeded(100_000 * options.seed + 500 + store);
      const asked = unlabelled(drawn(streamed, { sessions: LONG.dreams * LONG.sessions, random }), { labels: 'permuted', random });
      if (await dreamOften(asked, streamed, progress)) appliedIn += 1;
    }
    const worst = cells.reduce((most, cell) => (cell.appliedIn > most.appliedIn ? cell : most));
    const long = { stores: LONG.stores, dreams: LONG.dreams, appliedIn };
    return { cycles: worst.cycles, appliedIn: worst.appliedIn, cells, long, waiting };
  },
  tell: ({ cells, appliedIn, long, waiting }) => ({
    targets: [
      target('stores of 20 to which anything was applied, worst cell', appliedIn, { atMost: 1, unit: '' }),
      target('long-lived stores to which anything was applied', long.appliedIn, { atMost: 0, unit: '' }),
    ],
    table: [
      textTable(
        ['values', 'labels', 'sessions', 'stores', 'applied in'],
        cells.map((cell) => [cell.values, cell.labels, cell.sessions, cell.cycles, cell.appliedIn]),
      ),
      `${waiting} changes wait for a person.`,
    ].join('\n\n'),
  }),
});

function valuesOf(requests: readonly LabelledRequest[]): Record<string, readonly LabelledRequest[]> {
  const { equal, unequal } = sevenValues(requests);
  return { '77': requests, '7 equal': equal, '7 unequal': unequal };
}

function drawn(requests: readonly LabelledRequest[], { sessions, random }: { sessions: number; random: () => number }): LabelledRequest[] {
  return shuffled(requests, random).slice(0, sessions);
}

/** The labels go to other requests: as often as before, or one to all requests of a principal. */
function unlabelled(
  requests: readonly LabelledRequest[],
  { labels, random }: { labels: 'permuted' | 'one a principal'; random: () => number },
): AskedRequest[] {
  const queues = shuffled(
    requests.map(({ queue }) => queue),
    random,
  );
  const asked = askedBy(requests, Math.floor(random() * 2 ** 31));
  if (labels === 'permuted') return asked.map((one, i) => ({ ...one, queue: queues[i]! }));
  const ofPrincipal = new Map<string, string>();
  return asked.map((one, i) => {
    if (!ofPrincipal.has(one.principal)) ofPrincipal.set(one.principal, queues[i]!);
    return { ...one, queue: ofPrincipal.get(one.principal)! };
  });
}

async function dreamOnce(
  asked: readonly AskedRequest[],
  requests: readonly LabelledRequest[],
  progress: ScenarioProgress,
): Promise<{ isChanged: boolean; waits: number }> {
  const stream = await RoutedStream.open(queuesOf(requests));
  for (const request of asked) {
    await stream.ask(request);
    progress.step();
  }
  await stream.dream();
  const result = { isChanged: await stream.hasChanged(), waits: (await stream.changes()).waiting };
  await stream.close();
  return result;
}

async function dreamOften(
  asked: readonly AskedRequest[],
  requests: readonly LabelledRequest[],
  progress: ScenarioProgress,
): Promise<boolean> {
  const stream = await RoutedStream.open(queuesOf(requests));
  for (const [i, request] of asked.entries()) {
    await stream.ask(request);
    progress.step();
    if ((i + 1) % LONG.sessions === 0) await stream.dream();
  }
  const isChanged = await stream.hasChanged();
  await stream.close();
  return isChanged;
}

function queuesOf(requests: readonly LabelledRequest[]): string[] {
  return [...new Set(requests.map(({ queue }) => queue))].sort();
}
