import type { DecisionPoint, Episode } from './episodes.ts';
import { phrasesOf } from './phrases.ts';

/** A decision with the phrases of its request. */
export interface AskedDecision extends DecisionPoint {
  phrases: ReadonlySet<string>;
}

/** One field of one tool that a value is chosen for, with every decision that was made on it. */
export interface Question {
  tool: string;
  field: string;
  options: readonly string[];
  decisions: readonly AskedDecision[];
}

/** How often a value was right among some decisions. Support is counted in principals; sessions are told beside it. */
export interface Tally {
  sessions: number;
  principals: number;
  /**
   * Of all the decisions, the part for which the value was right, where each principal has one vote: many sessions of
   * few principals weigh no more than few.
   */
  share: number;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A question's name in a map. */
export function questionKey(tool: string, field: string): string {
  return JSON.stringify([tool, field]);
}

/**
 * Gathers the decisions of all episodes by what was asked. The order of the episodes changes nothing: decisions are
 * sorted by their place in the log, so that even sums of fractions come out the same.
 */
export function questionsOf(episodes: readonly Episode[]): Map<string, Question> {
  const decisions = episodes.flatMap((episode) => episode.decisions).sort((a, b) => compare(a.evidence[0]!, b.evidence[0]!));
  const groups = Map.groupBy(decisions, ({ tool, field }) => questionKey(tool, field));
  const questions = [...groups]
    .sort(([a], [b]) => compare(a, b))
    .map(([key, asked]): [string, Question] => {
      const { tool, field } = asked[0]!;
      const options = [...new Set(asked.flatMap((decision) => decision.options))].sort();
      return [key, { tool, field, options, decisions: asked.map((decision) => ({ ...decision, phrases: phrasesOf(decision.request) })) }];
    });
  return new Map(questions);
}

/** Counts the decisions for which a value was right, among all that are given. */
export function tallyOf(decisions: readonly AskedDecision[], value: string): Tally {
  const sessions = new Set<string>();
  const byPrincipal = new Map<string, { all: number; right: number }>();
  for (const { principal, session, right } of decisions) {
    const count = byPrincipal.get(principal) ?? { all: 0, right: 0 };
    byPrincipal.set(principal, count);
    count.all += 1;
    if (right !== value) continue;
    count.right += 1;
    sessions.add(session);
  }
  const counts = [...byPrincipal.values()];
  const votes = counts.reduce((sum, { all, right }) => sum + right / all, 0);
  return { sessions: sessions.size, principals: counts.filter(({ right }) => right > 0).length, share: votes / Math.max(1, counts.length) };
}

export function isLabelled(decision: DecisionPoint): boolean {
  return decision.right !== null;
}

/** True when the request says one of the cues. */
export function saysOneOf(decision: AskedDecision, cues: readonly string[]): boolean {
  return cues.some((cue) => decision.phrases.has(cue));
}
