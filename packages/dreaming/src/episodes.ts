import { idOfStream, knownEvent, textOf, type EventType, type KnownEvent, type LogEvent, type TeamSnapshot } from '@dreamfold/events';

/** A call of a tool at which one of the tool's own values was chosen. */
export interface DecisionPoint {
  session: string;
  principal: string;
  agent: string;
  tool: string;
  /** The field of the tool's input that was decided on, and the values that its schema allows. */
  field: string;
  options: readonly string[];
  chosen: string;
  /** What would have been right, from feedback; null while nobody has said. */
  right: string | null;
  /** What was asked for: the session's request and, in a specialist's thread, what it was told. */
  request: string;
  confidence: number | null;
  reason: string | null;
  /** `stream#seq` of the call and, when it is labelled, of the feedback. */
  evidence: readonly string[];
}

/** What a dream sees of one finished session. */
export interface Episode {
  session: string;
  principal: string;
  /** Recorded elsewhere, not run here. */
  imported: boolean;
  decisions: readonly DecisionPoint[];
}

interface Reading {
  whose: { session: string; principal: string };
  team: TeamSnapshot;
  requests: string[];
  /** Agent and newest message of each specialist's thread; the lead's thread is not in it. */
  threads: Map<string, { agent: string; message: string }>;
  /** By the id of the call. */
  decisions: Map<string, DecisionPoint[]>;
}

/**
 * Turns the events of one session, in order, into an episode.
 * @returns null when the beginning of the session is erased or missing
 */
export function episodeOf(events: readonly LogEvent[]): Episode | null {
  const known = events.map(knownEvent).filter((event) => event !== null && event.data !== null) as KnownEvent[];
  const created = known.find((event) => event.type === 'session.created');
  if (created === undefined) return null;
  const { principal, imported, team } = created.data;
  const whose = { session: idOfStream(created.stream), principal };
  const reading: Reading = { whose, team, requests: [], threads: new Map(), decisions: new Map() };
  for (const event of known) (READERS[event.type] as ((reading: Reading, event: KnownEvent) => void) | undefined)?.(reading, event);
  return { ...whose, imported: imported !== undefined, decisions: [...reading.decisions.values()].flat() };
}

type Readers = { readonly [T in EventType]?: (reading: Reading, event: KnownEvent<T>) => void };

const READERS: Readers = {
  'session.team_updated': (reading, { data }) => {
    reading.team = data.team;
  },
  'user.message': (reading, { data }) => {
    reading.requests.push(textOf(data.content));
  },
  'user.define_outcome': (reading, { data }) => {
    reading.requests.push(data.description);
  },
  'session.thread_created': (reading, { data }) => {
    reading.threads.set(data.session_thread_id, { agent: data.agent_name, message: '' });
  },
  'agent.thread_message_sent': (reading, { data }) => {
    reading.threads.set(data.to_session_thread_id, { agent: data.to_agent_name, message: textOf(data.content) });
  },
  'agent.tool_use': (reading, event) => {
    reading.decisions.set(event.id, decisionsOf(reading, event));
  },
  'decision.recorded': (reading, { data: { event_id: callId, confidence, reason } }) =>
    change(reading, callId, (decision) => ({
      ...decision,
      confidence: confidence ?? decision.confidence,
      reason: reason ?? decision.reason,
    })),
  'feedback.recorded': (reading, event) => change(reading, event.data.judges, (decision) => labelled(decision, event)),
};

function decisionsOf(reading: Reading, event: KnownEvent<'agent.tool_use'>): DecisionPoint[] {
  const { name: tool, input } = event.data;
  const thread = reading.threads.get(event.actor);
  const agent = thread?.agent ?? reading.team.lead;
  const schema = reading.team.agents.find(({ name }) => name === agent)?.tools.find(({ name }) => name === tool)?.input_schema;
  const request = [...reading.requests, ...(thread === undefined ? [] : [thread.message])].join('\n');
  return enumeratedFields(schema).flatMap(({ field, options }) => {
    const chosen = (input as Record<string, unknown> | null | undefined)?.[field];
    if (typeof chosen !== 'string' || !options.includes(chosen)) return [];
    const evidence = [`${event.stream}#${event.seq}`];
    return [{ ...reading.whose, agent, tool, field, options, chosen, right: null, request, confidence: null, reason: null, evidence }];
  });
}

/** Fields of a JSON Schema object that take one of at least two strings. */
function enumeratedFields(schema: { properties?: unknown } | undefined): { field: string; options: string[] }[] {
  return Object.entries((schema?.properties ?? {}) as Record<string, { enum?: unknown }>).flatMap(([field, property]) => {
    const options = property?.enum;
    if (!Array.isArray(options) || options.length < 2 || !options.every((option) => typeof option === 'string')) return [];
    return [{ field, options }];
  });
}

/** The newest word on a decision counts. `wrong`, without saying what would have been right, is no label. */
function labelled(decision: DecisionPoint, event: KnownEvent<'feedback.recorded'>): DecisionPoint {
  const { verdict, right_answer: answer } = event.data;
  const said = answer !== undefined && Object.hasOwn(answer, decision.field) ? answer[decision.field] : undefined;
  const right = said ?? (verdict === 'right' ? decision.chosen : null);
  const valid = typeof right === 'string' && decision.options.includes(right);
  const call = decision.evidence.slice(0, 1);
  return { ...decision, right: valid ? right : null, evidence: valid ? [...call, `${event.stream}#${event.seq}`] : call };
}

function change(reading: Reading, callId: string, to: (decision: DecisionPoint) => DecisionPoint): void {
  const decisions = reading.decisions.get(callId);
  if (decisions !== undefined) reading.decisions.set(callId, decisions.map(to));
}
