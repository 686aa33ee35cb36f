import { z } from 'zod';
import { agent, rubric, scripted, tool, type AgentDefinition, type Model, type ScriptedPolicy } from 'dreamfold';
import { lead, triage, writer } from './policies.ts';

/** The desks of the shop. `vip` calls back at once; what goes to `spam` is never answered. */
export const DESKS = ['access', 'billing', 'returns', 'shipping', 'vouchers', 'vip', 'spam'] as const;
export type Desk = (typeof DESKS)[number];

export const ROUTE_TICKET = 'route_ticket';

// An input that takes one of a few named values is a decision: later feedback on it can be learnt from.
const routeTicket = tool({
  name: ROUTE_TICKET,
  description: 'Puts the ticket into the queue of one desk.',
  input: z.object({ queue: z.enum(DESKS) }),
  effect: 'pure',
  run: ({ queue }, { principal }) => `The ticket of ${principal} is in the queue ${queue}.`,
});

/**
 * A lead and two specialists.
 * @param model makes an agent's model from its policy. With `model: 'claude-opus-5'` in its place the prompts below
 * do the work, and the rest of this file stays.
 */
export function supportTeam(model: (policy: ScriptedPolicy) => Model = scripted): AgentDefinition {
  const triageAgent = agent({
    name: 'triage',
    description: 'Chooses the desk for a ticket.',
    model: model(triage),
    tools: [routeTicket],
    system: `You choose the desk for a ticket and put the ticket into its queue with ${ROUTE_TICKET}.
Weigh what earlier tickets have shown, which stands in <memory>, with what the desks say of themselves:
- access: password, login
- billing: invoice, charged, payment
- returns: return, refund, exchange
- shipping: delivery, address
Answer "desk: NAME". If nothing fits, route nothing and answer "unsure".
If you are told to choose all the same, choose billing, which gets most tickets.`,
  });
  const writerAgent = agent({
    name: 'writer',
    description: 'Drafts the reply to a ticket.',
    model: model(writer),
    system: 'You draft the reply to a ticket: greet the customer by name and say in one sentence what you have understood.',
  });
  return agent({
    name: 'lead',
    description: 'Answers support tickets.',
    model: model(lead),
    team: [triageAgent, writerAgent],
    system:
      'You answer support tickets. Have triage choose the desk and the writer draft a reply, both at once; then add who takes it on and by when.',
  });
}

/** What a reply is judged by, in code. A reply that falls short goes back with scores and reasons. */
export const replyRubric = rubric({
  text: 'A reply that the customer can rely on.',
  criteria: [
    { id: 'greets', ask: 'Greets the customer by name.', check: ({ task, text }) => text.startsWith(`Dear ${task.split(' writes:')[0]},`) },
    {
      id: 'names-desk',
      ask: 'Names the one desk that takes the ticket on.',
      weight: 2,
      check: ({ text }) => {
        const named = DESKS.filter((desk) => text.includes(`The ${desk} desk`));
        return { score: named.length === 1 ? 1 : 0, reason: named.length === 1 ? 'one desk' : `${named.length} desks are named` };
      },
    },
    { id: 'says-when', ask: 'Says by when the customer hears again.', check: ({ text }) => /within \w+ working day/.test(text) },
  ],
});

/**
 * What `dreamfold run team.ts "Ana writes: …"` takes.
 * @public
 */
export default { lead: supportTeam(), rubric: replyRubric };
