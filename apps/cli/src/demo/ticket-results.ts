import { knownEvent, type KnownEvent } from '@dreamfold/events';
import type { Dreamfold } from 'dreamfold';
import { ROUTE_TICKET } from './team.ts';

/** What the log says of one ticket. */
export interface TicketResult {
  sessionId: string;
  customer: string;
  text: string;
  queue: string | null;
  confidence: number | null;
  /** The newest call that chose the queue. */
  routing: { id: string; ref: string } | null;
  /** The weighted score of each attempt at a reply, oldest first. */
  scores: number[];
  /** Of the first attempt: what it lost points for. */
  shortfall: string[];
  /** The desk's word: what `feedback.recorded` says of the routing. Null while it has not spoken. */
  desk: { verdict: 'right' | 'wrong'; right: string | null } | null;
  /** What the customer says would have been right. */
  claim: string | null;
  /** Every feedback on the routing, as `stream#seq`. */
  feedback: string[];
  modelCalls: number;
  /** One attempt was enough, and the desk kept the ticket. */
  rightFirstTime: boolean;
}

/** Reads one session of a support team from its log. @throws DreamfoldError not_found */
export async function ticketResult(dreamfold: Dreamfold, sessionId: string): Promise<TicketResult> {
  const state = await dreamfold.session(sessionId);
  const { attempts, result: verdict, description } = state.outcome!;
  const result: TicketResult = {
    sessionId,
    customer: state.principal,
    text: description.split(' writes:\n')[1] ?? description,
    queue: null,
    confidence: null,
    routing: null,
    scores: attempts.map(({ score }) => score),
    shortfall: (attempts[0]?.criteria ?? []).filter(({ score }) => score < 1).map(({ id, reason }) => `${id}: ${reason}`),
    desk: null,
    claim: null,
    feedback: [],
    modelCalls: state.usage.modelCalls,
    rightFirstTime: false,
  };
  for await (const event of dreamfold.events(sessionId)) {
    const known = knownEvent(event);
    if (known !== null && known.data !== null) take(result, known);
  }
  return { ...result, rightFirstTime: verdict === 'satisfied' && attempts.length === 1 && result.desk?.verdict === 'right' };
}

function take(result: TicketResult, event: KnownEvent): void {
  const ref = `${event.stream}#${event.seq}`;
  if (event.type === 'agent.tool_use' && event.data.name === ROUTE_TICKET) {
    result.routing = { id: event.id, ref };
    result.queue = (event.data.input as { queue: string }).queue;
  } else if (event.type === 'decision.recorded' && event.data.event_id === result.routing?.id) {
    result.confidence = event.data.confidence ?? null;
  } else if (event.type === 'feedback.recorded' && event.data.judges === result.routing?.id) {
    result.feedback.push(ref);
    const { verdict, by, right_answer: answer } = event.data;
    const right = answer === undefined ? null : String(answer['queue']);
    if (by.startsWith('desk:')) result.desk = { verdict, right };
    else result.claim = right;
  }
}

/** The figures of a batch. */
export interface Figures {
  tickets: number;
  rightFirstTime: number;
  rubricMetAtOnce: number;
  rightQueue: number;
  modelCalls: number;
}

export function figuresOf(results: readonly TicketResult[]): Figures {
  const count = (holds: (result: TicketResult) => boolean): number => results.filter(holds).length;
  return {
    tickets: results.length,
    rightFirstTime: count((result) => result.rightFirstTime),
    rubricMetAtOnce: count(({ shortfall }) => shortfall.length === 0),
    rightQueue: count(({ desk }) => desk?.verdict === 'right'),
    modelCalls: results.reduce((sum, { modelCalls }) => sum + modelCalls, 0),
  };
}
