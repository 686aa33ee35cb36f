import type { Witness } from './choice-learner.ts';

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
