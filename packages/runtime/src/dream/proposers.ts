import { DreamfoldError, type EventData, type NewEvent } from '@dreamfold/events';
import type { MemoryDocument } from '@dreamfold/core';
import { readSuggestions, recordableParts, type Episode } from '@dreamfold/dreaming';
import { sha256 } from '../digest.ts';
import { faultOf } from '../thrown.ts';
import { dreamEvent } from './dream-stream.ts';

/** Names what whoever asks for a dream suggests: nobody is asked for it. */
export const CALLER = 'caller';
const MAX_PROPOSERS = 20;
const MAX_NAME_CHARS = 64;

/** What a proposer goes by. */
export interface ProposalRequest {
  /** The same whenever the same dream asks the same proposer: where an answer costs money, the service may know it by this. */
  key: string;
  /** The sessions that the dream reviews. */
  episodes: readonly Episode[];
  /** The store as it stood when the dream began, or was taken over. */
  document: MemoryDocument;
}

/** Somebody whom dreams ask for insights and notes: a model, a person, a program. What it says passes the same gates as what is learnt. */
export interface Proposer {
  /** At most 64 characters; a dream that is taken over asks the proposer of the same name. */
  name: string;
  /**
   * @returns suggestions, as an array; whatever it is, the gates judge it. An answer that is on the dream's stream is never asked for
   * again. What it throws is recorded too, and the dream goes on without it.
   */
  propose(request: ProposalRequest): Promise<unknown>;
}

/** @throws DreamfoldError invalid_argument */
export function namesOf(proposers: readonly Proposer[]): string[] {
  const names = proposers.map(({ name }) => name);
  const bad = names.find((name, i) => name === '' || name === CALLER || name.length > MAX_NAME_CHARS || names.indexOf(name) !== i);
  if (bad === undefined && names.length <= MAX_PROPOSERS) return names;
  throw new DreamfoldError(
    'invalid_argument',
    bad === undefined ? 'There are too many proposers' : `A proposer can't be called ${JSON.stringify(bad)}`,
    {
      path: 'proposers',
      value: bad ?? names.length,
      remedy: `Give at most ${MAX_PROPOSERS} proposers, each a name of its own of at most ${MAX_NAME_CHARS} characters, other than "${CALLER}".`,
    },
  );
}

/** Asks a proposer. @returns what the dream's stream says of its answer */
export async function askProposer(proposers: readonly Proposer[], name: string, request: ProposalRequest): Promise<NewEvent[]> {
  const proposer = proposers.find((one) => one.name === name);
  if (proposer === undefined) return [failed(name, { type: 'not_found', message: 'Whoever went on with the dream does not know it.' })];
  try {
    return answerEvents(name, await proposer.propose(request));
  } catch (error) {
    const { code, message } = faultOf(error);
    return [failed(name, { type: code ?? (error as Error).name, message })];
  }
}

/** What a dream's stream says of what somebody suggests. */
export function answerEvents(proposer: string, suggestions: unknown): NewEvent[] {
  return recordableParts(readSuggestions(suggestions, sha256)).map((part) =>
    dreamEvent('dream.proposal_answered', { proposer, suggestions: part }),
  );
}

function failed(proposer: string, error: NonNullable<EventData['dream.proposal_answered']['error']>): NewEvent {
  return dreamEvent('dream.proposal_answered', { proposer, suggestions: [], error });
}
