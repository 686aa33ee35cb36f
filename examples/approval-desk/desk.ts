// A desk that pays money back only when a person has said so.
import { agent, scripted, tool } from 'dreamfold';
import { z } from 'zod';

const refund = tool({
  name: 'refund',
  description: 'Pays money back to the customer of an order.',
  input: z.object({ order: z.string(), cents: z.int().positive().max(50_000) }),
  policy: 'always_ask',
  // The service that pays is given the key, and pays once for a key: a crash may repeat the call.
  effect: 'keyed',
  run: ({ order, cents }, { idempotencyKey }) =>
    `Paid ${(cents / 100).toFixed(2)} EUR for order ${order}, reference ${idempotencyKey.slice(0, 8)}.`,
});

// A stand-in for a model: a function of the request. `--model claude-…` asks Claude in its place.
const answers = scripted(({ messages }) => {
  const last = messages.at(-1)!.content.at(-1)!;
  if (last.type === 'tool_result') {
    if (last.is_error) return `Dear customer, we cannot pay this back: ${last.content}`;
    // What a person has changed stands above the result.
    return `Dear customer. ${last.content.split('\n').at(-1)}`;
  }
  const order = last.type === 'text' ? /\d+/.exec(last.text)?.[0] : undefined;
  return { tool: 'refund', input: { order: order ?? '0', cents: 1999 }, decision: { confidence: 0.7, reason: 'It came broken.' } };
});

export default agent({
  name: 'desk',
  system: 'You answer customers of a shop. Pay back what came broken or was never delivered.',
  tools: [refund],
  model: answers,
});
