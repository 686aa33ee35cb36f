import type { Episode } from '../episodes/episode.ts';

export const QUEUES = ['account', 'billing', 'technical'];

/** One decision: `[principal, right queue or null, request]`, of an authenticated principal, labelled by the desk. */
export type Ticket = readonly [principal: string, right: string | null, request: string];

type Standing = Partial<Pick<Episode['decisions'][number], 'authenticated' | 'labeller'>>;

/** The session of a ticket that was routed to `account`: the call is its event 5, the feedback its event 9. */
export function episode([principal, right, request]: Ticket, i: number, how: Standing = {}): Episode {
  const { authenticated = true, labeller = 'desk' } = how;
  const session = `sesn_${String(i).padStart(4, '0')}`;
  const evidence = [`session/${session}#5`, ...(right === null ? [] : [`session/${session}#9`])];
  const asked = { agent: 'router', tool: 'route', field: 'queue', options: QUEUES, chosen: 'account', right, request, evidence };
  return {
    session,
    principal,
    imported: false,
    seq: 9,
    decisions: [{ ...asked, session, principal, authenticated, labeller, confidence: null, reason: null, given: [] }],
    errors: [],
    labels: new Set(right === null ? [] : [9]),
    uncounted: [],
  };
}
