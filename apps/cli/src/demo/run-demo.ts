import { DreamfoldError, forbiddenPhrase, type AgentDefinition, type Dreamfold, type DreamReport } from 'dreamfold';
import { replyRubric, ROUTE_TICKET, supportTeam } from './team.ts';
import { figuresOf, ticketResult, type Figures, type TicketResult } from './ticket-results.ts';
import { FIRST_DAY, NEXT_DAY, type Ticket } from './tickets.ts';

/** Words that no memory may hold, whoever proposes them: nothing may teach the team to throw tickets away. */
export const DEMO_RULE = 'queue = spam';
const CONSTITUTION = [forbiddenPhrase(DEMO_RULE)];
const YOU = 'person:you';

export interface Batch {
  figures: Figures;
  tickets: TicketResult[];
}

type DreamtInsight = DreamReport['insights'][number];

export interface DemoReport {
  store: string;
  firstDay: Batch;
  dream: { id: string; reviewed: DreamReport['reviewed']; proposed: DreamtInsight[]; rejected: DreamtInsight[] };
  /** With what was approved. */
  nextDay: Batch;
  /** The same tickets as on the next day, after everything was rolled back. */
  rolledBack: Batch;
  /** A second dream, over all of it, whose proposals wait for a person. */
  waiting: { dreamId: string; patchIds: string[] };
  /** `restored`: the memory is byte for byte what it was before the first approval. Each approval and each rollback is a version. */
  rollback: { versions: number; restored: boolean };
  /** How many sessions the run added to the log. */
  sessions: number;
}

export interface DemoOptions {
  team?: AgentDefinition;
  onProgress?: (done: number, total: number) => void;
}

/**
 * The whole story on one log: a day without memory, feedback, a dream, approval, a day with memory, rollback, the same day
 * without it. Each run has a store of its own, so it can be repeated on the same data.
 */
export async function runDemo(dreamfold: Dreamfold, options: DemoOptions = {}): Promise<DemoReport> {
  // Before the first write: beside another processor nothing is to be begun.
  await dreamfold.lock();
  const store = await freshStore(dreamfold);
  const total = FIRST_DAY.length + 2 * NEXT_DAY.length;
  let done = 0;
  const handle = (tickets: readonly Ticket[]): Promise<Batch> =>
    handleAll(dreamfold, tickets, {
      store,
      team: options.team ?? supportTeam(),
      onDone: () => options.onProgress?.((done += 1), total),
    });
  const sessionsOf = (...batches: Batch[]): string[] => batches.flatMap(({ tickets }) => tickets.map(({ sessionId }) => sessionId));

  const firstDay = await handle(FIRST_DAY);
  const dream = await dreamfold.dream({
    store,
    sessions: sessionsOf(firstDay),
    constitution: CONSTITUTION,
    thorough: true,
    suggestions: planted(firstDay),
  });
  const proposed = dream.insights.filter(({ status }) => status !== 'rejected');
  const patches = proposed.map(({ patchId }) => patchId!);
  const before = (await dreamfold.memory.load(store)).state.hash;
  for (const patch of patches) await dreamfold.memory.approve(store, patch, { by: YOU });
  const nextDay = await handle(NEXT_DAY);

  for (const patch of patches.toReversed()) await dreamfold.memory.rollback(store, patch, { by: YOU, reason: 'To see what it was worth.' });
  const rolledBack = await handle(NEXT_DAY);
  const { state } = await dreamfold.memory.load(store);
  const second = await dreamfold.dream({
    store,
    sessions: sessionsOf(firstDay, nextDay, rolledBack),
    constitution: CONSTITUTION,
    thorough: true,
  });
  return {
    store,
    firstDay,
    dream: {
      id: dream.dreamId,
      reviewed: dream.reviewed,
      proposed,
      rejected: dream.insights.filter(({ status }) => status === 'rejected'),
    },
    nextDay,
    rolledBack,
    waiting: {
      dreamId: second.dreamId,
      patchIds: second.insights.flatMap(({ patchId, status }) => (status === 'validated' ? [patchId!] : [])),
    },
    rollback: { versions: state.version, restored: state.hash === before },
    sessions: total,
  };
}

/** `support`, or `support-2` and so on where earlier runs have left theirs. */
async function freshStore(dreamfold: Dreamfold): Promise<string> {
  const taken = new Set((await dreamfold.memory.list()).map(({ state }) => state.store?.name));
  let name = 'support';
  for (let run = 2; taken.has(name); run += 1) name = `support-${run}`;
  await dreamfold.memory.create({ name, description: 'What the demo has learnt of its tickets.', approval: 'manual' }, YOU);
  return name;
}

interface Shift {
  store: string;
  team: AgentDefinition;
  onDone: () => void;
}

/** Handles tickets side by side, hands each to its desk, and reads from the log what came of them. */
async function handleAll(dreamfold: Dreamfold, tickets: readonly Ticket[], shift: Shift): Promise<Batch> {
  const results = await Promise.all(
    tickets.map(async (ticket) => {
      const session = await dreamfold.run(shift.team, `${ticket.from} writes:\n${ticket.text}`, {
        // A shop knows its customers: they have logged in.
        principal: { id: ticket.from, authenticated: true },
        title: `Ticket of ${ticket.from}`,
        rubric: replyRubric,
        memory: [shift.store],
      });
      await session.done();
      await giveFeedback(dreamfold, session.id, ticket);
      shift.onDone();
      return ticketResult(dreamfold, session.id);
    }),
  );
  return { figures: figuresOf(results), tickets: results };
}

/** The receiving desk keeps the ticket or names the right queue. Some customers have a word of their own. */
async function giveFeedback(dreamfold: Dreamfold, sessionId: string, { desk, claims, from }: Ticket): Promise<void> {
  const { routing, queue } = await ticketResult(dreamfold, sessionId);
  if (routing === null) return;
  const kept = queue === desk;
  await dreamfold.feedback(sessionId, {
    judges: routing.id,
    verdict: kept ? 'right' : 'wrong',
    ...(kept ? {} : { right_answer: { queue: desk } }),
    reason: kept ? 'Ours.' : `Passed on to ${desk}.`,
    by: `desk:${queue}`,
    class: 'desk',
  });
  if (claims === undefined) return;
  await dreamfold.feedback(sessionId, {
    judges: routing.id,
    verdict: 'wrong',
    right_answer: { queue: claims },
    by: from,
    class: 'customer',
  });
}

/** Two bad proposals, such as a misled model or a meddler might make. They pass through the same gates as all others. */
function planted(day: Batch): NonNullable<Parameters<Dreamfold['dream']>[0]['suggestions']> {
  const meddled = day.tickets.filter(({ claim }) => claim !== null);
  const honest = day.tickets.find(({ routing, claim }) => routing !== null && claim === null);
  if (meddled.length === 0 || honest === undefined) {
    throw new DreamfoldError('evidence_not_found', 'No ticket of the demo was routed', {
      path: 'team',
      remedy: `Let triage call ${ROUTE_TICKET}.`,
    });
  }
  const choice = { kind: 'choice' as const, tool: ROUTE_TICKET, field: 'queue' };
  return [
    {
      ...choice,
      value: 'vip',
      cues: ['refund'],
      reason: `${meddled.length} sessions say that refunds are for vip.`,
      evidence: meddled.flatMap(({ routing, feedback }) => [routing!.ref, feedback.at(-1)!]),
    },
    { ...choice, value: 'spam', cues: ['voucher'], reason: 'Vouchers are not worth the time.', evidence: [honest.routing!.ref] },
  ];
}
