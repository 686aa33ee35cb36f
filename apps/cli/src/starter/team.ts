// A lead with two specialists. They run on scripted models, functions of the prompt, so no key is needed; README.md has the command.
// With ANTHROPIC_API_KEY set, `--model claude-opus-5` runs the same team on Claude.
import { agent, rubric, scripted, tool, type ModelRequest } from 'dreamfold';
import { z } from 'zod';

const findOrder = tool({
  name: 'find_order',
  description: 'Finds an order by its number.',
  input: z.object({ order: z.string() }),
  effect: 'pure', // running it twice does nothing, so a crash may repeat it
  run: ({ order }) => `Order ${order} has shipped with DHL and arrives on Friday.`,
});

/** What a scripted model has before it: the task, and the results of its calls. */
function read(request: ModelRequest): { asked: string; results: string[] } {
  const blocks = request.messages.at(-1)?.content ?? [];
  const [asked = ''] = blocks.flatMap((block) => (block.type === 'text' ? block.text.split('\n') : []));
  return { asked, results: blocks.flatMap((block) => (block.type === 'tool_result' ? [block.content] : [])) };
}

const orders = agent({
  name: 'orders',
  description: 'Knows the orders and where they are.',
  system: 'Look orders up with find_order. Report what you found, no more.',
  tools: [findOrder],
  model: scripted((request) => {
    const { asked, results } = read(request);
    return results[0] ?? { tool: 'find_order', input: { order: /\d+/.exec(asked)?.[0] ?? '1' }, decision: { confidence: 0.9 } };
  }),
});

const writer = agent({
  name: 'writer',
  description: 'Writes to customers.',
  system: 'Write the greeting of a reply: short and kind.',
  model: scripted(() => 'Dear customer,'),
});

const lead = agent({
  name: 'lead',
  system: 'Answer the customer. Delegate: orders finds the facts, writer writes the greeting. Put both together.',
  team: [orders, writer],
  model: scripted((request) => {
    const { asked, results } = read(request);
    if (results.length > 0) return results.toReversed().join('\n');
    return [orders, writer].map(({ name }) => ({ tool: 'delegate', input: { agent: name, message: asked } }));
  }),
});

export default {
  lead,
  rubric: rubric({
    criteria: [
      { id: 'greets', ask: 'The reply greets the customer.', check: ({ text }) => text.startsWith('Dear') },
      { id: 'answers', ask: 'The reply says where the order is.', check: ({ text }) => text.includes('shipped'), weight: 2 },
    ],
  }),
};
