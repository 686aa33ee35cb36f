import { canonicalName, type LogEvent } from '@dreamfold/events';
import { DreamfoldError, type Dreamfold } from 'dreamfold';

/** What says how a session went, and nothing of what was said in it. Anything else is taken for content. */
const KEPT: ReadonlySet<string> = new Set([
  'session.claimed',
  'session.status_running',
  'session.status_idle',
  'session.thread_status_running',
  'session.thread_status_idle',
  'session.usage',
  'user.interrupt',
  'message.taken_up',
  'tool.started',
  'approval.stale',
  'cap.reached',
  'span.model_request_start',
  'span.model_request_end',
  'span.outcome_evaluation_start',
  'log.erased',
]);

/** Events of one stream whose payloads can be erased. */
export interface Erasable {
  stream: string;
  events: { seq: number; id: string; type: string }[];
}

/** What to look for: all of a session, one event by its id, or all that a principal wrote. */
export type ErasableQuery = { session: string } | { event: string } | { principal: string };

/** Finds events that hold content, and still have it. @throws DreamfoldError not_found */
export async function findErasable(dreamfold: Dreamfold, query: ErasableQuery): Promise<Erasable[]> {
  if ('session' in query) return [await inStream(dreamfold, `session/${query.session}`, () => true)].filter(hasAny);
  const found: Erasable[] = [];
  for await (const batch of dreamfold.log.streams('session')) {
    for (const { stream } of batch) {
      const wanted = 'event' in query ? ({ id }: LogEvent) => id === query.event : await writtenBy(dreamfold, stream, query.principal);
      const one = await inStream(dreamfold, stream, wanted);
      if (hasAny(one)) found.push(one);
      if ('event' in query && hasAny(one)) return found;
    }
  }
  if (found.length === 0) throw nothingThere(query);
  return found;
}

function hasAny({ events }: Erasable): boolean {
  return events.length > 0;
}

async function inStream(dreamfold: Dreamfold, stream: string, wanted: (event: LogEvent) => boolean): Promise<Erasable> {
  const events: Erasable['events'] = [];
  for await (const batch of dreamfold.log.read(stream)) {
    for (const event of batch) {
      const { seq, id, type, data } = event;
      if (data !== null && !KEPT.has(type) && wanted(event)) events.push({ seq, id, type });
    }
  }
  return { stream, events };
}

/** A session of theirs is theirs as a whole: what agents said in it is about them. */
async function writtenBy(dreamfold: Dreamfold, stream: string, principal: string): Promise<(event: LogEvent) => boolean> {
  const name = canonicalName(principal);
  const isThem = (said: unknown): boolean => typeof said === 'string' && canonicalName(said.replace(/^person:/, '')) === name;
  for await (const [first] of dreamfold.log.read(stream, { to: 1 })) {
    const { principal: owner } = (first?.data ?? {}) as { principal?: unknown };
    if (isThem(owner)) return () => true;
  }
  return ({ actor, data }) => isThem(actor) || isThem((data as { by?: unknown }).by);
}

function nothingThere(query: ErasableQuery): DreamfoldError {
  const [what, value] = Object.entries(query)[0]!;
  return new DreamfoldError('not_found', `Nothing that can be erased is there of the ${what} ${value}`, {
    path: `--${what}`,
    value,
    remedy: 'See what there is with `dreamfold sessions` and `dreamfold show SESSION`. What was erased before is not found again.',
  });
}

/** A patch of a memory store that rests on what was erased. */
export interface LearntPatch {
  store: string;
  patchId: string;
}

/** What was learnt from streams, and stays. */
export async function learntFrom(dreamfold: Dreamfold, streams: readonly string[]): Promise<LearntPatch[]> {
  const found: LearntPatch[] = [];
  for await (const batch of dreamfold.log.streams('memory')) {
    for (const { stream } of batch) {
      for await (const events of dreamfold.log.read(stream)) {
        for (const { type, data } of events) {
          if (type !== 'memory.patch_proposed' || data === null) continue;
          const { patch_id: patchId, evidence } = data as { patch_id: string; evidence: readonly string[] };
          if (evidence.some((ref) => streams.includes(ref.slice(0, ref.indexOf('#'))))) found.push({ store: stream.slice(7), patchId });
        }
      }
    }
  }
  return found;
}
