// Sends invoices one after the other. Kill it at any moment and start it again: it goes on, and none is sent twice.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { agent, open, scripted, textOf, tool } from 'dreamfold';
import { z } from 'zod';

const CUSTOMERS = ['Ana', 'Ben', 'Chiara', 'Dmitri', 'Emi', 'Farid', 'Greta', 'Hugo'];
const directory = process.argv[2] ?? './.dreamfold';
const outbox = join(directory, 'outbox.txt');

const sendInvoice = tool({
  name: 'send_invoice',
  description: 'Sends a customer the invoice of the month.',
  input: z.object({ customer: z.string() }),
  effect: 'keyed',
  // A keyed tool does nothing for a key that it has seen, so a crash between the effect and its record does no harm.
  run: async ({ customer }, { idempotencyKey }) => {
    const sent = existsSync(outbox) ? readFileSync(outbox, 'utf8') : '';
    if (!sent.includes(idempotencyKey)) appendFileSync(outbox, `${idempotencyKey} ${customer}\n`);
    await sleep(100);
    return `Sent to ${customer}.`;
  },
});

const clerk = agent({
  name: 'clerk',
  system: `Send each of these customers one invoice: ${CUSTOMERS.join(', ')}.`,
  tools: [sendInvoice],
  model: scripted(({ messages }) => {
    const customer = CUSTOMERS[messages.filter(({ role }) => role === 'assistant').length];
    return customer === undefined ? 'All invoices are sent.' : { tool: 'send_invoice', input: { customer } };
  }),
});

const dreamfold = await open({ directory });
// The key names the work, not the process: the same key always gives the same session, at rest or half done.
const session = await dreamfold.run(clerk, 'Send the invoices of November.', { idempotencyKey: 'invoices-2026-11' });
session.on('agent.tool_result', ({ data }) => console.log(textOf(data.content)));
console.log((await session.done()).text);
await dreamfold.close();
