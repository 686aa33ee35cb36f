import type { Candidate, DroppedCue, GateContext } from './candidate.ts';
import { withCues } from './candidate.ts';
import { cuesAgainstRules } from './constitution.ts';
import { secretCues } from './words/secrets.ts';
import { oddCues } from './words/unicode.ts';

/** Finds the cues of a choice that have to go: why, by phrase, and how the phrase may be shown. */
export type BadCues = (candidate: Candidate, context: GateContext) => ReadonlyMap<string, { shown: string; reason: string }>;

/** Gates that judge an insight cue by cue, in their order. */
const CUE_GATES: Readonly<Record<string, BadCues>> = { unicode: oddCues, secrets: secretCues, constitution: cuesAgainstRules };

/**
 * A choice without the cues that a gate would stop it for: one word of one person must not keep the others from all. What
 * would be left without any cue stays as it is, and the gate stops it.
 * @param without gates that are left out
 */
export function withoutBadCues(candidate: Candidate, context: GateContext, without: readonly string[] = []): Candidate {
  if (candidate.finding.kind !== 'choice') return candidate;
  let left = candidate;
  const dropped: DroppedCue[] = [];
  for (const [gate, badCues] of Object.entries(CUE_GATES)) {
    if (without.includes(gate) || left.finding.kind !== 'choice') continue;
    const bad = badCues(left, context);
    if (bad.size === 0 || left.finding.cues.every(({ phrase }) => bad.has(phrase))) continue;
    left = withCues(left, ({ phrase }) => !bad.has(phrase));
    for (const { shown, reason } of bad.values()) dropped.push({ gate, phrase: shown, reason });
  }
  return dropped.length === 0 ? left : { ...left, dropped };
}
