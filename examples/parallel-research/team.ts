// Three researchers at once, each with its own context and its own notes; the lead waits for all of them.
import { setTimeout as sleep } from 'node:timers/promises';
import { agent, rubric, scripted, tool, type ModelRequest } from 'dreamfold';
import { z } from 'zod';

/** Stands in for a library or the web. */
const NOTES: Readonly<Record<string, string>> = {
  history: 'Kites were flown in China more than 2,000 years ago.',
  physics: 'A kite flies because the wind that it turns down pushes it up.',
  craft: 'A small kite takes two spars, a sail, a bridle and a tail.',
};

const search = tool({
  name: 'search',
  description: 'Searches the notes of one field.',
  input: z.object({ field: z.string() }),
  effect: 'pure',
  run: async ({ field }, { signal }) => {
    await sleep(200, undefined, { signal });
    return NOTES[field] ?? `Nothing is known of ${field}.`;
  },
});

function resultsIn({ messages }: ModelRequest): string[] {
  return messages.at(-1)!.content.flatMap((block) => (block.type === 'tool_result' ? [block.content] : []));
}

const researchers = Object.keys(NOTES).map((field) =>
  agent({
    name: field,
    description: `Researches the ${field} of a subject.`,
    system: `Search the notes on ${field}, and report in one sentence what they say.`,
    tools: [search],
    model: scripted((request) => resultsIn(request)[0] ?? { tool: 'search', input: { field } }),
  }),
);

const lead = agent({
  name: 'lead',
  system: 'Ask all researchers at once, and join their reports to one short answer.',
  team: researchers,
  model: scripted((request) => {
    const reports = resultsIn(request);
    // Several calls in one answer run at the same time.
    if (reports.length === 0) return researchers.map(({ name }) => ({ tool: 'delegate', input: { agent: name, message: 'Kites.' } }));
    return reports.join(' ');
  }),
});

export default {
  lead,
  rubric: rubric({
    criteria: [{ id: 'whole', ask: 'The answer has three sentences.', check: ({ text }) => text.split('. ').length === 3 }],
  }),
  caps: { threads: 4, tool_calls: 10 },
};
