import type { Sha256 } from '@dreamfold/core';
import type { RecoveryInsight } from '@dreamfold/events';
import type { ErrorPoint } from '../episodes/episode.ts';
import { withWords, wordsIn } from '../episodes/error-signature.ts';
import { recoveryId } from '../insight-id.ts';
import { firstOfEach, hasQuorum, supportOf, type Support, type Witness } from './quorum.ts';

/** Below this part of the principals the next step is no habit. */
const MIN_SHARE = 0.5;
const MAX_EVIDENCE = 6;

/** What runs did after each error, by tool and signature, then by the next step. */
export type Recoveries = Map<string, Map<string, ErrorPoint[]>>;

export interface RecoveryDraft {
  insight: RecoveryInsight;
  /** Some of the runs, enough to show the quorum. */
  witnesses: Witness[];
}

/** Takes in one error that something followed. Changes the recoveries in place. */
export function noteError(recoveries: Recoveries, error: ErrorPoint): void {
  if (error.next === null) return;
  const key = keyOf(error);
  const byNext = recoveries.get(key) ?? new Map<string, ErrorPoint[]>();
  recoveries.set(key, byNext);
  byNext.set(error.next, [...(byNext.get(error.next) ?? []), error]);
}

/**
 * What most runs did next after an error like this one, where each principal has one vote a step.
 * @returns null for an error that was never seen
 */
export function nextStep(recoveries: Recoveries, error: Pick<ErrorPoint, 'tool' | 'signature'>): string | null {
  return ranked(recoveries.get(keyOf(error)))[0]?.next ?? null;
}

/** The recoveries with a quorum, in the order of tool and signature. */
export function proposeRecoveries(recoveries: Recoveries, sha256: Sha256): RecoveryDraft[] {
  return [...recoveries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, byNext]) => {
      const steps = ranked(byNext);
      const first = steps[0]!;
      const votes = steps.reduce((sum, { support }) => sum + support.principals, 0);
      if (!hasQuorum(first.support) || first.support.principals < MIN_SHARE * votes) return [];
      const { tool, signature } = first.errors[0]!;
      const told = toldSignature(signature, [...byNext.values()].flat());
      if (told === null) return [];
      const insight: RecoveryInsight = {
        kind: 'recovery',
        // Whatever of the error is told, its digest says which one it is.
        id: recoveryId({ tool, signature }, sha256),
        tool,
        signature: told,
        next: first.next,
        support: first.support,
      };
      return [{ insight, witnesses: witnessesOf(first.errors) }];
    });
}

/**
 * A signature with the words that the tool itself says of such errors: those that came in the errors of a quorum without
 * that anybody there had said them. A name that a user gave, and the tool repeats, is none of them.
 * @returns null when no word is left
 */
function toldSignature(signature: string, errors: readonly ErrorPoint[]): string | null {
  const open = new Map([...new Set(wordsIn(signature))].map((word) => [word, [] as ErrorPoint[]]));
  const stable = new Set<string>();
  for (const error of errors) {
    if (open.size === 0) break;
    for (const word of error.own) {
      const seen = open.get(word);
      if (seen === undefined) continue;
      seen.push(error);
      if (!hasQuorum(supportOf(seen))) continue;
      stable.add(word);
      open.delete(word);
    }
  }
  return stable.size === 0 ? null : withWords(signature, stable);
}

interface Step {
  next: string;
  errors: readonly ErrorPoint[];
  support: Support;
}

/** A run each, those of different principals first, up to the limit. */
function witnessesOf(errors: readonly ErrorPoint[]): Witness[] {
  const bySession = [...new Map(errors.toReversed().map((error) => [error.session, error])).values()].reverse();
  return firstOfEach(bySession)
    .slice(0, MAX_EVIDENCE)
    .map(({ session, principal, next, evidence }) => runAs({ session, principal, right: next!, evidence: [evidence] }));
}

/** A run as a witness: nobody has said whether it went right. */
export function runAs(run: Pick<Witness, 'session' | 'principal' | 'right' | 'evidence'>): Witness {
  return { ...run, authenticated: false, labeller: null };
}

function keyOf({ tool, signature }: Pick<ErrorPoint, 'tool' | 'signature'>): string {
  return `${tool}\n${signature}`;
}

function ranked(byNext: ReadonlyMap<string, readonly ErrorPoint[]> | undefined): Step[] {
  return [...(byNext ?? [])]
    .map(([next, errors]) => ({ next, errors, support: supportOf(errors) }))
    .sort((a, b) => b.support.principals - a.support.principals || b.support.sessions - a.support.sessions || (a.next < b.next ? -1 : 1));
}
