import { foldWith, textOf } from '@dreamfold/events';

/** An event that is cited as `stream#seq`. */
export function splitRef(ref: string): { stream: string; seq: number } {
  const at = ref.lastIndexOf('#');
  return { stream: ref.slice(0, at), seq: Number(ref.slice(at + 1)) };
}

/** The streams that are cited, in the order of their first citation, with the seqs. @param refs as `stream#seq` */
export function citedStreams(refs: readonly string[]): { stream: string; seqs: ReadonlySet<number> }[] {
  const cited = Map.groupBy(refs.map(splitRef), ({ stream }) => stream);
  return [...cited].map(([stream, events]) => ({ stream, seqs: new Set(events.map(({ seq }) => seq)) }));
}

/** Whose session it is that is cited, and what was asked for first; '' where that was erased. */
export interface CitedSession {
  principal: string;
  request: string;
}

/** Before the first event. */
export const NOTHING_CITED: CitedSession = { principal: '', request: '' };

export const evolveCited = foldWith<CitedSession>({
  'session.created': (state, { data }) => ({ ...state, principal: data.principal }),
  'user.define_outcome': (state, { data }) => ({ ...state, request: state.request || data.description }),
  'user.message': (state, { data }) => ({ ...state, request: state.request || textOf(data.content) }),
});
