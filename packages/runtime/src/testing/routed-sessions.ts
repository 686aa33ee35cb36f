import { idFrom, streamOf, text, type Insight, type NewEvent, type TeamSnapshot } from '@dreamfold/events';
import type { MemoryState } from '@dreamfold/core';
import { seenBy, type Log } from '@dreamfold/log';
import { sha256 } from '../digest.ts';

/** A request that was routed, by itself: `[authenticated principal, right queue or null, request]`. */
export type Ticket = readonly [principal: string, right: string | null, request: string];

export interface RoutedSession {
  id: string;
  /** The id of the call that routed it. */
  callId: string;
  /** `stream#seq` of the call. */
  call: string;
}

interface Routing {
  queues: readonly string[];
  /** The queue that was chosen. */
  chosen?: string;
  /** The store, the version of it and the insights that the session was given. */
  given?: { store: string; version: number; insights: readonly string[] };
}

export const CAPS = { depth: 1, threads: 2, turns: 9, tool_calls: 9, tokens: 999, cost_usd: 1, wall_time_ms: 999, identical_calls: 3 };

export function teamOf(queues: readonly string[]): TeamSnapshot {
  const schema = { type: 'object', properties: { queue: { type: 'string', enum: [...queues] } } } as const;
  const tool = { name: 'route', description: 'Routes a ticket', input_schema: schema, policy: 'always_allow', effect: 'keyed' } as const;
  const agent = {
    name: 'router',
    description: '',
    model: 'scripted',
    system: '',
    tools: [tool],
    roster: [],
    max_tokens: 99,
    context_window: 999,
  };
  return { lead: 'router', agents: [agent] };
}

/** Writes a finished session of one routed request, and the desk's word on it. */
export async function routeTicket(log: Log, [principal, right, request]: Ticket, routing: Routing): Promise<RoutedSession> {
  const { queues, chosen = queues[0]!, given } = routing;
  const id = idFrom('session', sha256(`${seenBy(await log.cursor())}/${principal}/${request}`));
  const stream = streamOf('session', id);
  const memory = given === undefined ? [] : [{ store: given.store, version: given.version, hash: 'h' }];
  const event = (type: string, data: unknown, actor = 'system'): NewEvent => ({ type, data, actor, class: 'open' });
  const thread = `sthr_${id}`;
  const insights = given?.insights.map((insight_id) => ({ store: given.store, insight_id })) ?? [];
  const events = [
    event('session.created', { principal, principal_authenticated: true, team: teamOf(queues), caps: CAPS, memory }),
    event('user.message', { content: text(request) }, 'user'),
    ...(given === undefined ? [] : [event('memory.given', { insights, size_bytes: 1, sha256: 'h' }, thread)]),
    event('agent.tool_use', { name: 'route', input: { queue: chosen }, evaluated_permission: 'allow' }, thread),
    event('session.status_idle', { stop_reason: { type: 'end_turn' }, stop_details: null }),
  ];
  const { events: written } = await log.append({ stream, id: idFrom('event', sha256(stream)), expected: 0, events });
  const call = written.find(({ type }) => type === 'agent.tool_use')!;
  const session = { id, callId: call.id, call: `${stream}#${call.seq}` };
  if (right !== null) await judgeTicket(log, session, { right, chosen });
  return session;
}

/** The desk's word, perhaps much later. */
export async function judgeTicket(
  log: Log,
  { id, callId }: RoutedSession,
  { right, chosen }: { right: string; chosen: string },
): Promise<void> {
  const verdict = right === chosen ? 'right' : 'wrong';
  const data = { judges: callId, verdict, ...(right === chosen ? {} : { right_answer: { queue: right } }), by: 'desk', class: 'desk' };
  const event: NewEvent = { type: 'feedback.recorded', data, actor: 'person:desk', class: 'open' };
  await log.append({ stream: streamOf('session', id), id: `f-${callId}-${seenBy(await log.cursor())}`, expected: 'any', events: [event] });
}

/** What a store has learnt. */
export function insightsOf({ document }: Pick<MemoryState, 'document'>): Insight[] {
  return Object.values(document.memories).flatMap((memory) => (memory.kind === 'playbook' ? Object.values(memory.insights) : []));
}

export const QUEUES = ['account', 'billing', 'technical'];

/** What a word of them says is clear: one is right wherever it stands. */
export const TICKETS: readonly Ticket[] = [
  ['ann', 'billing', 'I would like a refund'],
  ['bob', 'billing', 'Please refund the second charge'],
  ['cem', 'billing', 'A refund was promised'],
  ['eva', 'technical', 'The app crashes at once'],
  ['fay', 'technical', 'It crashes on start'],
  ['gus', 'technical', 'Why crashes it again'],
  ['ann', 'account', 'Change my email'],
  ['bob', 'account', 'My email has a typo'],
  ['eva', 'account', 'Which email do you have'],
];
