import { counted } from '../render/counted.ts';
import type { Io } from '../io.ts';
import { insightLine } from '../render/patch-lines.ts';
import { oneLine } from '../render/printable.ts';
import type { Column } from '../render/table-layout.ts';
import type { DemoReport } from './run-demo.ts';
import type { Figures, TicketResult } from './ticket-results.ts';

const TEXT_CHARS = 60;

const TICKET_COLUMNS: readonly Column<TicketResult>[] = [
  { title: '   customer', value: ({ customer }) => `   ${customer}` },
  { title: 'queue', value: ({ queue }) => queue ?? '-' },
  { title: 'sure', value: ({ confidence }) => confidence?.toFixed(2) ?? '-', align: 'right' },
  { title: 'rubric', value: ({ scores }) => scores.map((score) => score.toFixed(2)).join(' > ') },
  { title: 'the desk says', value: ({ desk }) => (desk === null ? '-' : desk.verdict === 'right' ? 'ours' : `no: ${desk.right}`) },
  { title: 'ticket', value: ({ text }) => oneLine(text, TEXT_CHARS), shrinksTo: 12 },
];

interface FigureRow {
  name: string;
  figures: Figures;
}

const FIGURE_COLUMNS: readonly Column<FigureRow>[] = [
  { title: '', value: ({ name }) => `   ${name}` },
  { title: 'tickets', value: ({ figures }) => figures.tickets, align: 'right' },
  { title: 'right first', value: ({ figures }) => share(figures.rightFirstTime, figures), align: 'right' },
  { title: 'rubric met', value: ({ figures }) => share(figures.rubricMetAtOnce, figures), align: 'right' },
  { title: 'right queue', value: ({ figures }) => share(figures.rightQueue, figures), align: 'right' },
  { title: 'calls', value: ({ figures }) => figures.modelCalls, align: 'right' },
];

function share(count: number, { tickets }: Figures): string {
  return `${count} (${Math.round((100 * count) / tickets)} %)`;
}

/** Tells what a run of the demo did. Every figure comes from the log. */
export function tellStory(io: Io, report: DemoReport): void {
  io.line(
    'A support team: a lead and two specialists, triage and writer. The model is scripted: each agent is a function of its prompt, so ' +
      'this runs without a key. The figures show how the loop works, not what a real model would gain.',
  );
  tellFirstDay(io, report);
  tellDream(io, report);
  tellApproval(io, report);
  tellRollback(io, report);
  tellFigures(io, report);
  tellNext(io, report);
}

function chapter(io: Io, text: string): void {
  io.line(`\n${io.paint('bold', text)}`);
}

function tellFirstDay(io: Io, { firstDay: { tickets, figures } }: DemoReport): void {
  chapter(io, `1. The first day: ${figures.tickets} tickets, nothing learnt yet`);
  io.line('   sure: the confidence of triage; rubric: the score of each attempt, "0.25 > 1.00" after one revision.');
  io.table(tickets, TICKET_COLUMNS);
  const revised = tickets.filter(({ scores }) => scores.length > 1);
  const shortfall = revised[0]?.shortfall.join('; ') ?? '';
  if (revised.length > 0) io.line(`   ${revised.length} replies fell short of the rubric and went back once (${shortfall}).`);
  io.line(
    `   Then the desks' feedback: ${figures.rightQueue} tickets were in the right queue, ${figures.tickets - figures.rightQueue} were passed on.`,
  );
  const meddled = tickets.filter(({ claim }) => claim !== null);
  if (meddled.length > 0)
    io.line(
      `   ${meddled[0]!.customer} meddles: it reports ${meddled[0]!.claim} as the right queue of all its ${meddled.length} tickets. A desk's word has more weight.`,
    );
}

function tellDream(io: Io, { dream }: DemoReport): void {
  const { sessions, decisions, labelled } = dream.reviewed;
  chapter(io, `2. A dream: ${sessions} sessions reviewed, ${decisions} decisions, ${labelled} with feedback`);
  for (const { insight, evidence, patchId } of dream.proposed) {
    io.line(insightLine(insight), `   ${io.paint('green', 'proposed')} `);
    io.line(`            evidence ${evidence.slice(0, 2).join(', ')} and ${evidence.length - 2} more; ${patchId}`);
  }
  for (const { insight, gates } of dream.rejected) {
    const failed = gates.find((gate) => !gate.pass)!;
    io.line(insightLine(insight), `   ${io.paint('red', 'rejected')} `);
    io.line(`            planted by this demo; gate "${failed.gate}": ${failed.reason}`);
  }
}

function tellApproval(io: Io, { store, dream, nextDay }: DemoReport): void {
  chapter(io, `3. Approved, and the next day: ${nextDay.figures.tickets} tickets of other customers in other words`);
  io.line(
    `   The demo approves in your place, as person:you: ${counted(dream.proposed.length, 'patch', 'patches')} to the store "${store}".`,
  );
  io.table(nextDay.tickets, TICKET_COLUMNS);
}

function tellRollback(io: Io, { rollback, rolledBack }: DemoReport): void {
  chapter(io, '4. Rolled back, and the same tickets once more');
  const same = rollback.restored ? 'byte for byte as it was before the approval' : 'not as it was before the approval';
  io.line(`   The memory is ${same}; all ${rollback.versions} versions stay in its history.`);
  io.table(rolledBack.tickets, TICKET_COLUMNS);
}

function tellFigures(io: Io, { firstDay, nextDay, rolledBack }: DemoReport): void {
  chapter(io, '5. Side by side');
  io.line('   right first: the rubric met at once, and the desk kept the ticket; calls: of the model.');
  const rows: FigureRow[] = [
    { name: 'first day, no memory', figures: firstDay.figures },
    { name: 'next day, with memory', figures: nextDay.figures },
    { name: 'next day, rolled back', figures: rolledBack.figures },
  ];
  io.table(rows, FIGURE_COLUMNS);
}

function tellNext(io: Io, { firstDay, store, waiting, sessions }: DemoReport): void {
  const revised = firstDay.tickets.find(({ scores }) => scores.length > 1) ?? firstDay.tickets[0]!;
  chapter(io, 'Everything is on the log. Type next:');
  const next: [what: string, ...commands: string[]][] = [
    [`the ${sessions} tickets of this run, a session each`, 'sessions'],
    ['one that was sent back, step by step', `show ${revised.sessionId}`],
    ['the same, folded from its events; no model is asked', `replay ${revised.sessionId}`],
    [`${waiting.patchIds.length} proposals of a second dream wait for you`, 'review'],
    ['what the agents are told (nothing, until you approve), and who changed it', `memory show ${store}`, `memory history ${store}`],
  ];
  for (const [what, ...commands] of next) {
    io.line(io.paint('dim', `   ${what}:`));
    for (const command of commands) io.verbatim(`     ${io.typed(command)}`);
  }
}
