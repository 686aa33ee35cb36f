// Stand-ins for language models. Each is a function of its prompt and of nothing else: what it knows of the desks is in the
// system prompt, what it has learnt is in the <memory> block, and it has seen none of the tickets before.
import type { ModelRequest, ScriptedPolicy } from 'dreamfold';

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

/** Goes by what was learnt, then by the words that the desks say of themselves, and otherwise is unsure. */
export const triage: ScriptedPolicy = (request) => {
  const routed = request.messages.at(-2)?.content.find((block) => block.type === 'tool_use');
  if (routed !== undefined) return `desk: ${(routed.input as { queue: string }).queue}`;
  const ticket = lastText(request.messages[0]!.content);
  const learnt = best(learntRules(request), ticket);
  if (learnt !== null) return route(learnt.desk, 0.95, `Earlier tickets that say "${learnt.said}" belonged there.`);
  const listed = best(deskList(request.system), ticket);
  if (listed !== null) return route(listed.desk, 0.7, `The desk lists "${listed.said}".`);
  if (!ticket.startsWith('Choose all the same.')) return 'unsure';
  return route(/choose all the same, choose (\w+)/.exec(request.system)![1]!, 0.2, 'Nothing fits; it gets most tickets.');
};

/** Greets by name and repeats the first sentence. */
export const writer: ScriptedPolicy = (request) => {
  const ticket = lastText(request.messages[0]!.content);
  const [, name = 'customer', text = ticket] = /^(.+?) writes:\s+([^]+)$/.exec(ticket) ?? [];
  return `Dear ${name},\nthank you for writing. We have understood: "${text.split(/(?<=[.!?])\s/)[0]}"`;
};

interface Rule {
  desk: string;
  words: string[];
}

function route(queue: string, confidence: number, reason: string): ReturnType<ScriptedPolicy> {
  return [{ tool: 'route_ticket', input: { queue }, decision: { confidence, reason } }];
}

/** Lines such as `- When the request says "tax" or "customs": queue = billing (…).` of the memory in the prompt. */
function learntRules(request: ModelRequest): Rule[] {
  const memory = request.messages[0]!.content.slice(0, -1).map(textIn).join('\n');
  return [...memory.matchAll(/^- When the request says (.+): queue = (\w+) \(/gm)].map(([, cues, desk]) => ({
    desk: desk!,
    words: [...cues!.matchAll(/"([^"]+)"/g)].map(([, cue]) => cue!),
  }));
}

/** Lines such as `- access: password, login` of the system prompt. */
function deskList(system: string): Rule[] {
  return [...system.matchAll(/^- (\w+): (.+)$/gm)].map(([, desk, words]) => ({ desk: desk!, words: words!.split(', ') }));
}

/** The rule with most words in the ticket, the first of equals. */
function best(rules: readonly Rule[], ticket: string): { desk: string; said: string } | null {
  const plain = ` ${ticket.toLowerCase().replaceAll(/[^\p{L}\p{N}'’-]+/gu, ' ')} `;
  const found = rules.map(({ desk, words }) => ({ desk, said: words.filter((word) => plain.includes(` ${word} `)) }));
  const first = found.toSorted((a, b) => b.said.length - a.said.length)[0];
  return first === undefined || first.said.length === 0 ? null : { desk: first.desk, said: first.said[0]! };
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
