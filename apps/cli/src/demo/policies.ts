// Stand-ins for language models. Each is a function of its prompt and of nothing else: what it knows of the desks is in the
// system prompt, what it has learnt is in the <memory> block, and it has seen none of the tickets before.
import { readChoices, type ModelRequest, type ScriptedPolicy } from 'dreamfold';

type Block = ModelRequest['messages'][number]['content'][number];

/** Has both specialists at work at once, and joins their reports to one reply. Sends triage back when the reply names no desk. */
export const lead: ScriptedPolicy = (request) => {
  const ticket = lastText(request.messages[0]!.content).split('\n\n<rubric>')[0]!;
  const reports = reportsTo(request);
  if (reports.size === 0) {
    return [
      { tool: 'delegate', input: { agent: 'triage', message: ticket } },
      { tool: 'delegate', input: { agent: 'writer', message: ticket } },
    ];
  }
  const sentBack = lastText(request.messages.at(-1)!.content);
  if (sentBack.includes('- names-desk: 0.00')) {
    return [{ tool: 'delegate', input: { agent: 'triage', message: `Choose all the same.\n${ticket}` } }];
  }
  const desk = /^desk: (\w+)/.exec(reports.get('triage') ?? '')?.[1];
  const next = desk === undefined ? 'Somebody will look into it.' : `The ${desk} desk takes this on and answers within one working day.`;
  return `${reports.get('writer')}\n\n${next}`;
};

/** Weighs what was learnt and the words that the desks say of themselves, and without either is unsure. */
export const triage: ScriptedPolicy = (request) => {
  const routed = request.messages.at(-2)?.content.find((block) => block.type === 'tool_use');
  if (routed !== undefined) return `desk: ${(routed.input as { queue: string }).queue}`;
  const ticket = lastText(request.messages[0]!.content);
  const [best] = weigh([...listed(request.system, ticket), ...learnt(request)]);
  if (best !== undefined) return route(best.desk, best.confidence, best.clues.join(' '));
  if (!ticket.startsWith('Choose all the same.')) return 'unsure';
  return route(/choose all the same, choose (\w+)/.exec(request.system)![1]!, 0.2, 'Nothing fits; it gets most tickets.');
};

/** Greets by name and repeats the first sentence. */
export const writer: ScriptedPolicy = (request) => {
  const ticket = lastText(request.messages[0]!.content);
  const [, name = 'customer', text = ticket] = /^(.+?) writes:\s+([^]+)$/.exec(ticket) ?? [];
  return `Dear ${name},\nthank you for writing. We have understood: "${text.split(/(?<=[.!?])\s/)[0]}"`;
};

/** Something that speaks for a desk, and how strongly: ten points are one unit of log-odds, as in the memory. */
interface Clue {
  desk: string;
  points: number;
  says: string;
}

/** A word that a desk lists for itself. */
const LISTED_POINTS = 15;

function route(queue: string, confidence: number, reason: string): ReturnType<ScriptedPolicy> {
  return [{ tool: 'route_ticket', input: { queue }, decision: { confidence: Math.round(100 * confidence) / 100, reason } }];
}

/** The memory in a prompt holds the cues that its task says, and no others. */
function learnt(request: ModelRequest): Clue[] {
  return readChoices(request)
    .filter(({ field }) => field === 'queue')
    .flatMap(({ value, cues }) =>
      cues.map(({ phrase, points }) => ({
        desk: value,
        points,
        says: `Earlier tickets that say "${phrase}" belonged there (+${points}).`,
      })),
    );
}

/** From lines such as `- access: password, login` of the system prompt, the words that the ticket says. */
function listed(system: string, ticket: string): Clue[] {
  const plain = ` ${ticket.toLowerCase().replaceAll(/[^\p{L}\p{N}'’-]+/gu, ' ')} `;
  return [...system.matchAll(/^- (\w+): (.+)$/gm)].flatMap(([, desk, words]) =>
    words!
      .split(', ')
      .filter((word) => plain.includes(` ${word} `))
      .map((word) => ({ desk: desk!, points: LISTED_POINTS, says: `The desk lists "${word}".` })),
  );
}

/** Adds the points of each desk up: most points first, the first of equals, each with its share of the odds. */
function weigh(clues: readonly Clue[]): { desk: string; points: number; confidence: number; clues: string[] }[] {
  const byDesk = [...Map.groupBy(clues, ({ desk }) => desk)].map(([desk, own]) => ({
    desk,
    points: own.reduce((sum, { points }) => sum + points, 0),
    clues: own.map(({ says }) => says),
  }));
  // Nothing speaks for the desks that are not named here: together they have the odds of one with no points.
  const odds = byDesk.reduce((sum, { points }) => sum + Math.exp(points / 10), 1);
  return byDesk.map((desk) => ({ ...desk, confidence: Math.exp(desk.points / 10) / odds })).sort((a, b) => b.points - a.points);
}

/** The newest report of each specialist that the lead has asked. */
function reportsTo(request: ModelRequest): Map<string, string> {
  const blocks = request.messages.flatMap(({ content }) => content);
  const asked = blocks.filter((block) => block.type === 'tool_use');
  const reports = new Map<string, string>();
  for (const { id, input } of asked) {
    // Call ids are unique within a conversation.
    const report = blocks.find((block) => block.type === 'tool_result' && block.tool_use_id === id);
    if (report?.type === 'tool_result') reports.set((input as { agent: string }).agent, report.content);
  }
  return reports;
}

function lastText(blocks: readonly Block[]): string {
  return textIn(blocks.findLast((block) => block.type === 'text'));
}

function textIn(block: Block | undefined): string {
  return block?.type === 'text' ? block.text : '';
}
