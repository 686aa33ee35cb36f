// A desk that puts requests into queues, and has a memory.
import { agent, readChoices, scripted, tool } from 'dreamfold';
import { z } from 'zod';

const route = tool({
  name: 'route',
  description: 'Puts the request into the queue of one desk.',
  // One of a few named values: a decision that feedback can be learnt from.
  input: z.object({ queue: z.enum(['access', 'billing', 'shipping', 'vouchers']) }),
  effect: 'pure',
  run: ({ queue }) => `It is in the queue ${queue}.`,
});

const lead = agent({
  name: 'desk',
  system: 'Put each request into a queue. When nothing fits, choose billing.',
  tools: [route],
  // Follows its memory, and without one chooses billing. A real model reads the same memory in its prompt.
  model: scripted((request) => {
    const last = request.messages.at(-1)!.content.at(-1)!;
    if (last.type === 'tool_result') return last.content;
    const [learnt] = readChoices(request).filter(({ field }) => field === 'queue');
    return { tool: 'route', input: { queue: learnt?.value ?? 'billing' } };
  }),
});

export default { lead, memory: ['support'] };
