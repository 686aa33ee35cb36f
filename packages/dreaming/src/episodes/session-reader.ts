import {
  LABELLER_WEIGHT,
  canonicalName,
  idOfStream,
  knownEvent,
  labellerClassOf,
  nameFault,
  textOf,
  type EventType,
  type GivenInsight,
  type KnownEvent,
  type LabellerClass,
  type LogEvent,
  type TeamSnapshot,
} from '@dreamfold/events';
import { hasEndedAfter } from '@dreamfold/core';
import type { DecisionPoint, Episode, ErrorPoint, UncountedFeedback } from './episode.ts';
import { errorSignature, wordsIn } from './error-signature.ts';

/** A decision before anything is known of whose session it is in: that stands in the first event. */
type Thread = { agent: string; message: string; given: DecisionPoint['given'] };
type Reader = { readonly [T in EventType]?: (reading: SessionReader, event: KnownEvent<T>) => void };

/** Reads the events of one session, in order, one at a time, and tells at any moment what a dream sees of them. */
export class SessionReader {
  #session = '';
  /** As it was given. */
  #principal: string | null = null;
  /** As it is counted; '' for a name that can't be told from others, which is never evidence. */
  #counted = '';
  #authenticated = false;
  #imported = false;
  #seq = 0;
  #hasEnded = false;
  #team: TeamSnapshot = { lead: '', agents: [] };
  /** Versions of memory stores, by their ids. */
  readonly #pinned = new Map<string, number>();
  readonly #requests: string[] = [];
  /** The words of the requests; null when they have to be read again. */
  #saidWords: ReadonlySet<string> | null = null;
  /** The lead's thread is the one without an agent. */
  readonly #threads = new Map<string, Thread>();
  /** By the id of the call. */
  readonly #decisions = new Map<string, DecisionPoint[]>();
  readonly #calls = new Map<string, { name: string; input: unknown }>();
  readonly #errors: ErrorPoint[] = [];
  /** Errors of each thread that nothing has followed yet, or nothing but a message. */
  readonly #open = new Map<string, ErrorPoint[]>();
  readonly #labels = new Set<number>();
  readonly #uncounted: UncountedFeedback[] = [];

  add(logged: LogEvent): void {
    this.#seq = logged.seq;
    this.#hasEnded = hasEndedAfter(logged) ?? this.#hasEnded;
    const event = knownEvent(logged);
    if (event === null || event.data === null) return;
    (READERS[event.type] as ((reader: SessionReader, event: KnownEvent) => void) | undefined)?.(this, event);
  }

  get seq(): number {
    return this.#seq;
  }

  /** @returns null when the beginning of the session is erased or missing, or while it has not ended */
  episode(): Episode | null {
    if (this.#principal === null || !this.#hasEnded) return null;
    return {
      session: this.#session,
      principal: this.#counted,
      imported: this.#imported,
      seq: this.#seq,
      decisions: [...this.#decisions.values()].flat(),
      errors: this.#errors.map((error) => ({ ...error })),
      labels: this.#labels,
      uncounted: [...this.#uncounted],
    };
  }

  created({ stream, data }: KnownEvent<'session.created'>): void {
    this.#session = idOfStream(stream);
    this.#principal = data.principal;
    this.#counted = nameFault(data.principal) === null ? canonicalName(data.principal) : '';
    this.#authenticated = data.principal_authenticated === true;
    this.#imported = data.imported !== undefined;
    this.#team = data.team;
    for (const { store, version } of data.memory) this.#pinned.set(store, version);
  }

  teamUpdated(team: TeamSnapshot): void {
    this.#team = team;
  }

  asked(text: string): void {
    this.#requests.push(text);
    this.#saidWords = null;
    this.#open.clear();
  }

  threadTold(id: string, agent: string, message: string): void {
    this.#threads.set(id, { given: [], ...this.#threads.get(id), agent, message });
  }

  threadGiven(id: string, given: readonly GivenInsight[]): void {
    const pinned = given.map((one) => ({ ...one, version: this.#pinned.get(one.store) ?? 0 }));
    this.#threads.set(id, { agent: '', message: '', ...this.#threads.get(id), given: pinned });
  }

  called(event: KnownEvent<'agent.tool_use'>): void {
    this.#calls.set(event.id, { name: event.data.name, input: event.data.input });
    this.#decisions.set(event.id, this.#decisionsOf(event));
    for (const error of this.#open.get(event.actor) ?? []) error.next = event.data.name;
    this.#open.delete(event.actor);
  }

  answered(actor: string): void {
    for (const error of this.#open.get(actor) ?? []) error.next = 'respond';
  }

  failed({ stream, seq, actor, data }: KnownEvent<'agent.tool_result'>): void {
    const call = this.#calls.get(data.tool_use_id);
    if (call === undefined || this.#counted === '') return;
    const tool = call.name;
    const whose = { session: this.#session, principal: this.#counted };
    const signature = errorSignature(textOf(data.content));
    const said = (this.#saidWords ??= new Set(this.#requests.flatMap(wordsIn)));
    const given = new Set([this.#threads.get(actor)?.message ?? '', ...stringsIn(call.input)].flatMap(wordsIn));
    const own = [...new Set(wordsIn(signature))].filter((word) => !said.has(word) && !given.has(word));
    const error: ErrorPoint = { ...whose, tool, signature, own, next: null, evidence: `${stream}#${seq}` };
    this.#errors.push(error);
    this.#open.set(actor, [...(this.#open.get(actor) ?? []), error]);
  }

  change(callId: string, to: (decision: DecisionPoint) => DecisionPoint): void {
    const decisions = this.#decisions.get(callId);
    if (decisions !== undefined) this.#decisions.set(callId, decisions.map(to));
  }

  scored(seq: number): void {
    this.#labels.add(seq);
  }

  /** The word of greatest weight on a decision counts, and of several the newest. */
  judged(event: KnownEvent<'feedback.recorded'>): void {
    const { judges, by } = event.data;
    const ref = `${event.stream}#${event.seq}`;
    if (this.#counted === '' || nameFault(by) !== null) {
      this.#uncounted.push({ reason: 'deceptive_name', ref });
      return;
    }
    this.#labels.add(event.seq);
    const decisions = this.#decisions.get(judges) ?? [];
    const labeller = labellerClassOf(event.data, this.#principal ?? '');
    const labels = decisions.map((decision) => labelled(decision, { event, labeller }));
    this.#decisions.set(
      judges,
      labels.map(({ decision }) => decision),
    );
    for (const outranked of new Set(labels.flatMap((label) => label.outranked ?? []))) {
      this.#uncounted.push({ reason: 'outranked', ref: outranked });
    }
    if (labels.some(({ fault }) => fault === null)) return;
    this.#uncounted.push({ reason: labels[0]?.fault ?? 'no_decision', ref });
  }

  #decisionsOf(event: KnownEvent<'agent.tool_use'>): DecisionPoint[] {
    const { name: tool, input } = event.data;
    const thread = this.#threads.get(event.actor);
    const agent = thread === undefined || thread.agent === '' ? this.#team.lead : thread.agent;
    const schema = this.#team.agents.find(({ name }) => name === agent)?.tools.find(({ name }) => name === tool)?.input_schema;
    const told = thread === undefined || thread.message === '' ? [] : [thread.message];
    return enumeratedFields(schema).flatMap(({ field, options }) => {
      const chosen = (input as Record<string, unknown> | null | undefined)?.[field];
      if (typeof chosen !== 'string' || !options.includes(chosen)) return [];
      const whose = { session: this.#session, principal: this.#counted, authenticated: this.#authenticated, agent };
      const request = [...this.#requests, ...told].join('\n');
      const evidence = [`${event.stream}#${event.seq}`];
      const unknown = { right: null, labeller: null, confidence: null, reason: null };
      return [{ ...whose, tool, field, options, chosen, request, given: thread?.given ?? [], evidence, ...unknown }];
    });
  }
}

const READERS: Reader = {
  'session.created': (reader, event) => reader.created(event),
  'session.team_updated': (reader, { data }) => reader.teamUpdated(data.team),
  'user.message': (reader, { data }) => reader.asked(textOf(data.content)),
  'user.define_outcome': (reader, { data }) => reader.asked(data.description),
  'session.thread_created': (reader, { data }) => reader.threadTold(data.session_thread_id, data.agent_name, ''),
  'agent.thread_message_sent': (reader, { data }) => reader.threadTold(data.to_session_thread_id, data.to_agent_name, textOf(data.content)),
  'memory.given': (reader, { actor, data }) => reader.threadGiven(actor, data.insights),
  'agent.message': (reader, { actor }) => reader.answered(actor),
  'agent.tool_use': (reader, event) => reader.called(event),
  'agent.tool_result': (reader, event) => {
    if (event.data.is_error === true) reader.failed(event);
  },
  'decision.recorded': (reader, { data: { event_id: callId, confidence, reason } }) =>
    reader.change(callId, (decision) => ({
      ...decision,
      confidence: confidence ?? decision.confidence,
      reason: reason ?? decision.reason,
    })),
  'feedback.recorded': (reader, event) => reader.judged(event),
  'outcome.scored': (reader, { seq }) => reader.scored(seq),
  'outcome.imported': (reader, { seq }) => reader.scored(seq),
};

/** All texts in the input of a call. */
function stringsIn(input: unknown): string[] {
  if (typeof input === 'string') return [input];
  return typeof input === 'object' && input !== null ? Object.values(input).flatMap(stringsIn) : [];
}

/** Fields of a JSON Schema object that take one of at least two strings. */
export function enumeratedFields(schema: { properties?: unknown } | undefined): { field: string; options: string[] }[] {
  return Object.entries((schema?.properties ?? {}) as Record<string, { enum?: unknown }>).flatMap(([field, property]) => {
    const options = property?.enum;
    if (!Array.isArray(options) || options.length < 2 || !options.every((option) => typeof option === 'string')) return [];
    return [{ field, options }];
  });
}

interface Label {
  decision: DecisionPoint;
  /** Why it says nothing of the decision; null when it labels it. */
  fault: UncountedFeedback['reason'] | null;
  /** The feedback of less weight whose place it takes. */
  outranked?: string | undefined;
}

/** `wrong`, without saying what would have been right, is no label, and takes one of its own weight back. */
function labelled(
  decision: DecisionPoint,
  { event, labeller }: { event: KnownEvent<'feedback.recorded'>; labeller: LabellerClass },
): Label {
  const before = decision.labeller === null ? 0 : LABELLER_WEIGHT[decision.labeller];
  if (before > LABELLER_WEIGHT[labeller]) return { decision, fault: 'outranked' };
  const { verdict, right_answer: answer } = event.data;
  const said = answer !== undefined && Object.hasOwn(answer, decision.field) ? answer[decision.field] : undefined;
  const right = said ?? (verdict === 'right' ? decision.chosen : null);
  const valid = typeof right === 'string' && decision.options.includes(right);
  const [call, feedback] = decision.evidence as [string, string?];
  const evidence = valid ? [call, `${event.stream}#${event.seq}`] : [call];
  const fault = valid ? null : answer === undefined ? 'no_answer' : 'unknown_answer';
  const outranked = before > 0 && before < LABELLER_WEIGHT[labeller] ? feedback : undefined;
  return { decision: { ...decision, labeller, right: valid ? right : null, evidence }, fault, outranked };
}
