import { isTrustedLabeller, type LabellerClass } from '@dreamfold/events';

/** A session as evidence: a labelled decision without what was asked, or what a run did after an error. */
export interface Witness {
  session: string;
  principal: string;
  /** Somebody had checked that the principal is who it says. */
  authenticated: boolean;
  /** Who said what was right; null where nobody has. */
  labeller: LabellerClass | null;
  right: string;
  /** `stream#seq` of the call and of the feedback. */
  evidence: readonly string[];
}

/** What it takes to be believed. Sessions alone prove nothing: one principal can open any number of them. */
export const QUORUM = { sessions: 3, principals: 2 };

/** How many sessions of how many principals stand behind something. */
export interface Support {
  sessions: number;
  principals: number;
}

export function supportOf(witnesses: readonly Pick<Witness, 'session' | 'principal'>[]): Support {
  return {
    sessions: new Set(witnesses.map(({ session }) => session)).size,
    principals: new Set(witnesses.map(({ principal }) => principal)).size,
  };
}

/** What stands behind the one that has least. */
export function leastSupport(supports: readonly Support[]): Support {
  return {
    sessions: Math.min(...supports.map(({ sessions }) => sessions)),
    principals: Math.min(...supports.map(({ principals }) => principals)),
  };
}

/** In the same order, but one of each principal before all others. */
export function firstOfEach<T extends Pick<Witness, 'principal'>>(all: readonly T[]): T[] {
  const seen = new Set<string>();
  const isFirst = all.map(({ principal }) => !seen.has(principal) && seen.add(principal));
  return [...all.filter((_, i) => isFirst[i]), ...all.filter((_, i) => !isFirst[i])];
}

/**
 * Of these, what a store can go by that applies changes by itself: sessions whose principal somebody has authenticated, labelled by
 * somebody who is no party to the matter.
 */
export function trustedSupportOf(witnesses: readonly Witness[]): Support {
  return supportOf(witnesses.filter(({ authenticated, labeller }) => authenticated && labeller !== null && isTrustedLabeller(labeller)));
}

export function hasQuorum({ sessions, principals }: Support): boolean {
  return sessions >= QUORUM.sessions && principals >= QUORUM.principals;
}

/** `3 sessions of 1 principal`. */
export function supportText({ sessions, principals }: Support): string {
  return `${count(sessions, 'session')} of ${count(principals, 'principal')}`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
